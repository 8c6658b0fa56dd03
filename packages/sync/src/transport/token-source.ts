/**
 * The bearer token: asked for when needed, kept until the server refuses it. A token that was refused
 * twice is not sent again; only another one is.
 */
import { EntiDBError, isEntiDBError } from '@entidb/core'

/** Why a token is asked for. */
export type TokenReason = 'start' | 'expired' | 'rejected'

/** Gives a bearer token; asked again when the server refuses the last one. */
export type AuthTokenProvider = (context: {
  /** `start`: none yet. `expired`: the server refused the last one. `rejected`: it refused the renewed one too. */
  readonly reason: TokenReason
}) => string | Promise<string>

export class TokenSource {
  readonly #provider: AuthTokenProvider
  #token: string | undefined
  #refused: string | undefined

  constructor(provider: AuthTokenProvider) {
    this.#provider = provider
  }

  /** A token worth trying. Error: `unauthorized` while the provider has no other than the refused one. */
  async get(): Promise<string> {
    this.#token ??= await this.#ask(this.#refused === undefined ? 'start' : 'rejected')
    if (this.#token === this.#refused) {
      this.#token = undefined
      throw unauthorized()
    }
    return this.#token
  }

  /** The server answered 401 to `token`: asks for another. */
  async renew(token: string): Promise<string> {
    if (this.#token === token) this.#token = await this.#ask('expired')
    return this.get()
  }

  /** The server answered 401 to the renewed `token` as well. */
  reject(token: string): EntiDBError {
    this.#token = undefined
    this.#refused = token
    return unauthorized()
  }

  accept(): void {
    this.#refused = undefined
  }

  async #ask(reason: TokenReason): Promise<string> {
    try {
      const token: unknown = await this.#provider({ reason })
      if (typeof token === 'string' && token !== '') return token
    } catch (error) {
      throw providerFailed(error)
    }
    throw unauthorized('authTokenProvider gave no token: it returns a non-empty string')
  }
}

function unauthorized(
  why = 'The server refuses the token. Sync goes on when authTokenProvider gives another one',
): EntiDBError {
  return new EntiDBError('unauthorized', why, { retry: 'after-auth' })
}

function providerFailed(cause: unknown): Error {
  if (isEntiDBError(cause)) return cause
  return new EntiDBError('server_unreachable', 'authTokenProvider failed', {
    cause,
    retry: 'later',
  })
}
