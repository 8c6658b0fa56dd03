/**
 * The bearer token: asked for when needed, kept until the server refuses it. A token that was refused
 * twice is not sent again by itself; only another one is.
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
  #wasRefused = false
  #asked = 0

  constructor(provider: AuthTokenProvider) {
    this.#provider = provider
  }

  /** The provider was asked, and has not answered yet. */
  get isAsking(): boolean {
    return this.#asked > 0
  }

  /** A token worth trying. Error: `unauthorized` while the provider has no other than the refused one. */
  async get(): Promise<string> {
    this.#token ??= await this.#ask(this.#wasRefused ? 'rejected' : 'start')
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
    this.#refused = token
    return this.doubt()
  }

  /** It was not the server that refused the renewed token as well: the same one may be tried again. */
  doubt(): EntiDBError {
    this.#token = undefined
    this.#wasRefused = true
    return unauthorized()
  }

  /** Somebody asks for a try: the server may take by now what it refused while it was in trouble itself. */
  forgive(): void {
    this.#refused = undefined
  }

  accept(): void {
    this.#refused = undefined
    this.#wasRefused = false
  }

  async #ask(reason: TokenReason): Promise<string> {
    this.#asked += 1
    try {
      const given: unknown = await this.#provider({ reason })
      // What was read from a file ends with its line.
      const token = typeof given === 'string' ? given.trim() : ''
      if (FITS_HEADER.test(token)) return token
    } catch (error) {
      throw providerFailed(error)
    } finally {
      this.#asked -= 1
    }
    throw unauthorized('authTokenProvider gave no token: it returns text that fits a header')
  }
}

const FITS_HEADER = /^[\x20-\x7e\x80-\xff]+$/

function unauthorized(
  why = 'The server refuses the token. Sync goes on when authTokenProvider gives another one',
): EntiDBError {
  return new EntiDBError('unauthorized', why, { retry: 'after-auth' })
}

/** Errors with codes of ours may come from anywhere: they say nothing about a request. */
function providerFailed(cause: unknown): EntiDBError {
  if (isEntiDBError(cause, 'unauthorized')) return cause
  return new EntiDBError('server_unreachable', 'authTokenProvider failed', {
    cause,
    retry: 'later',
  })
}
