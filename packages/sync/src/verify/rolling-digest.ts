/**
 * The digest of what is stored, kept right while cycles run: everything is read once, and then only what the
 * cycles have touched. So a verify that other devices interrupt need not begin again.
 */
import type { SyncContext } from '../cycle/sync-context.ts'
import type { EngineSnapshot } from '../state/engine.ts'
import { digestAfter, digestStored, type StoredDigest, type Unsettled } from './stored-digest.ts'

export interface DigestAtSnapshot {
  readonly snapshot: EngineSnapshot
  readonly stored: StoredDigest
  /** Everything was read for it. */
  readonly isFull: boolean
}

export class RollingDigest {
  readonly #context: SyncContext
  #present: DigestAtSnapshot | undefined

  constructor(context: SyncContext) {
    this.#context = context
  }

  /** Of the present state; its snapshot holds until the next call, or `release`. */
  async read(signal: AbortSignal): Promise<DigestAtSnapshot | Unsettled> {
    const { store, turn } = this.#context
    await store.followFeed()
    if (store.edits.size > 0) return 'pending'
    const present = this.#present
    const snapshot = store.engine.snapshot()
    try {
      const isFull = present?.stored.generation !== store.state.generation
      const touched = this.#context.touched ?? []
      const stored = isFull
        ? await digestStored(snapshot, turn, signal)
        : await digestAfter(present.snapshot, present.stored, snapshot, touched)
      if (typeof stored === 'string') return stored
      this.#adopt({ snapshot, stored, isFull })
      return { snapshot, stored, isFull }
    } finally {
      if (this.#present?.snapshot !== snapshot) snapshot.release()
    }
  }

  /** Reads everything of the present snapshot again: for when the digest does not match. */
  async readAgain(signal: AbortSignal): Promise<DigestAtSnapshot | Unsettled> {
    const { snapshot } = this.#present ?? {}
    if (snapshot === undefined) return this.read(signal)
    const stored = await digestStored(snapshot, this.#context.turn, signal)
    if (typeof stored === 'string') return stored
    this.#present = { snapshot, stored, isFull: true }
    return this.#present
  }

  release(): void {
    this.#present?.snapshot.release()
    this.#present = undefined
    this.#context.touched = undefined
  }

  #adopt(present: DigestAtSnapshot): void {
    this.#present?.snapshot.release()
    this.#present = present
    this.#context.touched = new Set()
  }
}
