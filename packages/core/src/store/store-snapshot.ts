/** A pinned head. The space of what it can reach is not reused until it is released. */
import { EntiDBError } from '../errors/entidb-error.ts'
import type { MaybePromise } from '../files/file-system.ts'
import type { Head } from './head.ts'
import type { KeyRange, StoreSnapshot, TreeCursor } from './key-value-store.ts'
import type { NodeSource } from './node-source.ts'

export class TreeSnapshot implements StoreSnapshot {
  readonly #head: Head
  readonly #source: NodeSource
  readonly #assertStoreOpen: () => void
  readonly #onRelease: (snapshot: TreeSnapshot) => void
  /** Where `OpenSnapshots` has it. */
  place = -1
  #released = false

  constructor(
    head: Head,
    source: NodeSource,
    assertStoreOpen: () => void,
    onRelease: (snapshot: TreeSnapshot) => void,
  ) {
    this.#head = head
    this.#source = source
    this.#assertStoreOpen = assertStoreOpen
    this.#onRelease = onRelease
  }

  get lsn(): number {
    return this.#head.lsn
  }

  get(table: string, key: Uint8Array): MaybePromise<Uint8Array | undefined> {
    this.#assertOpen()
    return this.#head.get(table, key, this.#source)
  }

  scan(table: string, range: KeyRange): TreeCursor {
    this.#assertOpen()
    return this.#head.scan(table, range, this.#source, this.#assertOpen)
  }

  count(table: string): number {
    this.#assertOpen()
    return this.#head.table(table)?.count ?? 0
  }

  tables(): readonly string[] {
    this.#assertOpen()
    return this.#head.tables().map(([name]) => name)
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    this.#onRelease(this)
  }

  readonly #assertOpen = (): void => {
    if (this.#released) throw new EntiDBError('transaction_closed', 'The snapshot was released.')
    this.#assertStoreOpen()
  }
}
