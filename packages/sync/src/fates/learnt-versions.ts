/**
 * The revisions that became of local transactions, as far as this process learnt them. In memory: stored are those that
 * the ledger names. Bounded by what is named in it, the oldest go first; the newest decision stays whatever its size.
 */

import { type EntityRef, entityKey } from '../entity-ref.ts'

/** By `collection/id`. */
export type EntityVersions = Readonly<Record<string, number>>

/** A list, not a record: nearly all are forgotten unread, and a record of names is dear to build. */
export interface LearntVersion {
  readonly ref: EntityRef
  readonly version: number
}

/** Transactions and entities that are named: some 10 MB at most. */
const NAMES_MAX = 50_000

interface Decided {
  readonly keys: readonly number[]
  readonly versions: readonly LearntVersion[]
  readonly names: number
}

export class LearntVersions {
  readonly #namesMax: number
  readonly #byTransaction = new Map<number, Decided>()
  /** Oldest first. */
  readonly #decided = new Set<Decided>()
  #names = 0

  constructor(namesMax: number = NAMES_MAX) {
    this.#namesMax = namesMax
  }

  /** Of the transaction with this last opId; undefined when nothing is remembered. */
  get(key: number): EntityVersions | undefined {
    const decided = this.#byTransaction.get(key)
    return decided === undefined ? undefined : versionsByName(decided.versions)
  }

  /** Of transactions that were decided together, by their last opIds. */
  remember(keys: readonly number[], versions: readonly LearntVersion[]): void {
    if (versions.length === 0) return
    const decided = { keys, versions, names: keys.length + versions.length }
    for (const key of keys) this.#byTransaction.set(key, decided)
    this.#decided.add(decided)
    this.#names += decided.names
    for (const oldest of this.#decided) {
      if (this.#names <= this.#namesMax || oldest === decided) return
      this.#forget(oldest)
    }
  }

  #forget(decided: Decided): void {
    this.#decided.delete(decided)
    this.#names -= decided.names
    for (const key of decided.keys) {
      if (this.#byTransaction.get(key) === decided) this.#byTransaction.delete(key)
    }
  }
}

/** Of an entity named twice the later one. */
export function versionsByName(versions: readonly LearntVersion[]): EntityVersions {
  return Object.fromEntries(versions.map(({ ref, version }) => [entityKey(ref), version]))
}
