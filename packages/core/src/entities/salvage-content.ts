/**
 * What is salvaged, looked at on its way: whether it is of the form that its table asks for, the highest opId
 * in it, and from where on the change feed is whole.
 */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import type { StoreLoss } from '../store/salvage-part.ts'
import { decodeFeedRow, FEED_TABLE, opIdOfKey } from './feed-row.ts'
import { META_KEYS, META_TABLE } from './meta.ts'
import { decodeReplicaRow } from './replica-row.ts'
import { roleOfTable } from './table-role.ts'
import { readStoredEntity } from './verify-record.ts'

const decoder = new TextDecoder()

export class SalvagedContent {
  #lastOpId = 0
  /** Operations up to this one may be missing from the feed. */
  #feedHole = 0
  /** Those that follow the last one seen are lost: up to the next one that is seen, or to the end. */
  #isFeedCut = false
  #isFeedDistrusted = false
  /** Commits are lost, and with them operations, if any follow. */
  #isLogCut = false

  /** The highest one met. */
  get lastOpId(): number {
    return this.#lastOpId
  }

  /** One that was not met. */
  nextOpId(): number {
    return ++this.#lastOpId
  }

  /** The feed lacks nothing beyond this opId. */
  get feedHole(): number {
    return this.#isFeedCut || this.#isFeedDistrusted ? this.#lastOpId : this.#feedHole
  }

  /** A text says what is wrong with the entry. */
  wrongWith(table: string, key: Uint8Array, value: Uint8Array): string | undefined {
    const { kind } = roleOfTable(table)
    if (kind === 'records') return this.#wrongWithRecord(key, value)
    try {
      if (kind === 'replica') this.#see(decodeReplicaRow(value).opId)
      else if (table === META_TABLE) this.#lookAtMeta(key, decodeEntity(value))
      else if (table === FEED_TABLE) this.#lookAtOperation(key, value)
      return undefined
    } catch (error) {
      if (table === FEED_TABLE) this.#isFeedCut = true
      return error instanceof Error ? error.message : String(error)
    }
  }

  /** What there is of it was found in pieces: nobody knows what is missing between them. */
  distrustFeed(): void {
    this.#isFeedDistrusted = true
  }

  noteLoss({ what, table, high, key }: StoreLoss): void {
    if (what === 'commits') this.#isLogCut = true
    if (table !== FEED_TABLE) return
    const end = high ?? key
    if (end === undefined || end.length !== 8) this.#isFeedCut = true
    else this.#feedHole = Math.max(this.#feedHole, opIdOfKey(end) - (high === undefined ? 0 : 1))
  }

  #wrongWithRecord(key: Uint8Array, value: Uint8Array): string | undefined {
    const found = readStoredEntity(key, value)
    if (typeof found === 'string') return found
    this.#see(Math.max(found.stored.stamp, found.stored.opId))
    return undefined
  }

  #lookAtMeta(key: Uint8Array, value: unknown): void {
    const isLastOpId = decoder.decode(key) === META_KEYS.lastOpId
    if (isLastOpId && typeof value === 'number') this.#see(value)
  }

  #lookAtOperation(key: Uint8Array, value: Uint8Array): void {
    if (key.length !== 8) throw new Error('its key is no opId')
    const opId = opIdOfKey(key)
    decodeFeedRow(opId, value)
    // Operations come in order: what is missing was before this one.
    if (this.#isFeedCut || this.#isLogCut) this.#feedHole = Math.max(this.#feedHole, opId - 1)
    this.#isFeedCut = false
    this.#isLogCut = false
    this.#see(opId)
  }

  #see(opId: number): void {
    this.#lastOpId = Math.max(this.#lastOpId, opId)
  }
}
