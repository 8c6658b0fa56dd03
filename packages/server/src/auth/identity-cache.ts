/** Verified tokens by hash, the least recently used forgotten first. A signature costs 100 microseconds. */
import type { Identity } from './identity.ts'

/** A key that its issuer withdrew stops working after so long at the latest. */
const AGE_MS_MAX = 5 * 60_000

interface Entry {
  readonly identity: Identity
  readonly endMs: number
}

export class IdentityCache {
  readonly #entriesMax: number
  readonly #entries = new Map<string, Entry>()

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  /** Nothing once the token has expired, whatever clock tolerance verification allows. */
  get(key: string, nowMs: number): Identity | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#entries.delete(key)
    if (entry.endMs <= nowMs) return undefined
    this.#entries.set(key, entry)
    return entry.identity
  }

  set(key: string, identity: Identity, nowMs: number): void {
    const endMs = Math.min(nowMs + AGE_MS_MAX, identity.expiresAtMs ?? 0)
    this.#entries.set(key, { identity, endMs })
    if (this.#entries.size <= this.#entriesMax) return
    const oldest = this.#entries.keys().next()
    if (!oldest.done) this.#entries.delete(oldest.value)
  }
}
