/** Bearer tokens that expire. */
import type { Authenticator } from '@entidb/server'

export class Tokens {
  readonly #lifeMs: number
  #count = 0

  /** Every token is good for `lifeMs`. */
  constructor(lifeMs: number) {
    this.#lifeMs = lifeMs
  }

  /** A new one, by the clock of whoever asks. */
  issue(nowMs: number): string {
    return `t-${this.#count++}-${nowMs + this.#lifeMs}`
  }

  /** By the clock of the server. */
  authenticator(now: () => number): Authenticator {
    return {
      authenticate: async (token) => {
        const expiresAtMs = Number(token.split('-').at(-1))
        if (expiresAtMs <= now()) return undefined
        return { subject: 'simulated', databases: '*', access: 'write', expiresAtMs }
      },
    }
  }
}
