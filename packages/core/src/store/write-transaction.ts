/** The one writer's transaction: changes to the trees, and the same changes for the log. */
import { EntiDBError } from '../errors/entidb-error.ts'
import type { MaybePromise } from '../files/file-system.ts'
import type { Head } from './head.ts'
import type { KeyRange, Reader, TreeCursor, WriteTransaction } from './key-value-store.ts'
import { EditToken, type NodeRef, type Stored, type TableRoot } from './node.ts'
import type { NodeSource } from './node-source.ts'
import { TreeSnapshot } from './store-snapshot.ts'
import { TableEdits } from './table-edits.ts'
import type { TableNames } from './table-names.ts'
import { RangeCursor } from './tree-cursor.ts'
import type { EditContext, NodeSizes } from './tree-editor.ts'
import { ChangeWriter } from './wal-payload.ts'

/** A commit is one frame of the log, whose length is a 32-bit number. */
const TRANSACTION_BYTES_MAX = 2 ** 31
/** An extent has less than a gibibyte. */
const VALUE_BYTES_MAX = 2 ** 30 - 1024
/** A node that has four of them is split; no offset in it comes to 2^28. */
const KEY_BYTES_MAX = 2 ** 26

/** What a transaction hands over when it commits. */
export interface TransactionResult {
  /** Undefined when nothing changed. */
  readonly changes: readonly Uint8Array[] | undefined
  readonly roots: readonly (TableRoot | undefined)[]
  readonly replaced: readonly Stored[]
  readonly droppedTrees: readonly NodeRef[]
  readonly nodesAdded: number
}

export interface TransactionOwner {
  commit(result: TransactionResult): Promise<void>
  rollback(): void
}

export class TreeTransaction implements WriteTransaction {
  readonly #base: Head
  readonly #context: EditContext
  readonly #edits: TableEdits
  readonly #changes: ChangeWriter
  readonly #owner: TransactionOwner
  /** Opened since the last change. */
  readonly #cursors: RangeCursor[] = []
  #open = true

  constructor(
    base: Head,
    names: TableNames,
    source: NodeSource,
    { nodeBytes, largeValueBytes }: NodeSizes,
    owner: TransactionOwner,
  ) {
    this.#base = base
    const token = new EditToken(base.lsn + 1)
    this.#context = {
      source,
      nodeBytes,
      largeValueBytes,
      token,
      replaced: [],
      nodesAdded: 0,
    }
    this.#edits = new TableEdits(base, names, this.#context)
    this.#changes = new ChangeWriter(names)
    this.#owner = owner
  }

  get(table: string, key: Uint8Array): MaybePromise<Uint8Array | undefined> {
    this.#assertOpen()
    return this.#edits.get(table, key)
  }

  scan(table: string, range: KeyRange): TreeCursor {
    this.#assertOpen()
    const { root } = this.#edits.table(table) ?? {}
    const cursor = new RangeCursor(root, range, this.#context.source, this.#assertOpen)
    this.#cursors.push(cursor)
    return cursor
  }

  count(table: string): number {
    this.#assertOpen()
    return this.#edits.table(table)?.count ?? 0
  }

  tables(): readonly string[] {
    this.#assertOpen()
    const present = this.#base.with(this.#base.lsn, this.#edits.roots())
    return present.tables().map(([name]) => name)
  }

  view(): Reader {
    this.#assertOpen()
    this.#edits.pin()
    const head = this.#base.with(this.#base.lsn, this.#edits.roots())
    return new TreeSnapshot(head, this.#context.source, this.#assertOpen, () => {})
  }

  put(table: string, key: Uint8Array, value: Uint8Array): MaybePromise<void> {
    this.#assertOpen()
    assertBytes('key', key.length, KEY_BYTES_MAX)
    assertBytes('value', value.length, VALUE_BYTES_MAX)
    const bytes = this.#changes.byteLength + key.length + value.length
    assertBytes('transaction', bytes, TRANSACTION_BYTES_MAX)
    this.#keepForCursors()
    const waiting = this.#edits.put(table, key, value)
    if (waiting !== undefined) {
      return waiting.then(() => this.#changes.put(table, key, value))
    }
    this.#changes.put(table, key, value)
  }

  delete(table: string, key: Uint8Array): MaybePromise<boolean> {
    this.#assertOpen()
    this.#keepForCursors()
    const existed = this.#edits.delete(table, key)
    if (existed instanceof Promise) {
      return existed.then((later) => this.#logDelete(table, key, later))
    }
    return this.#logDelete(table, key, existed)
  }

  clear(table: string): void {
    this.#assertOpen()
    if ((this.#edits.table(table)?.count ?? 0) === 0) return
    this.#keepForCursors()
    this.#edits.clear(table)
    this.#changes.clear(table)
  }

  async commit(): Promise<void> {
    this.#assertOpen()
    this.#open = false
    const isEmpty = this.#changes.byteLength === 0
    return this.#owner.commit({
      changes: isEmpty ? undefined : this.#changes.finish(),
      roots: isEmpty ? this.#base.roots : this.#edits.roots(),
      replaced: this.#context.replaced,
      droppedTrees: this.#edits.droppedTrees,
      nodesAdded: this.#context.nodesAdded,
    })
  }

  rollback(): void {
    if (!this.#open) return
    this.#open = false
    this.#owner.rollback()
  }

  /**
   * Called before a change: a cursor goes on reading what was there when it was opened. One that was read
   * to its end costs nothing, so that probing for a key between writes does not copy nodes.
   */
  #keepForCursors(): void {
    if (this.#cursors.length === 0) return
    if (this.#cursors.some((cursor) => !cursor.isExhausted)) this.#edits.pin()
    this.#cursors.length = 0
  }

  #logDelete(table: string, key: Uint8Array, existed: boolean): boolean {
    if (existed) this.#changes.delete(table, key)
    return existed
  }

  readonly #assertOpen = (): void => {
    if (this.#open) return
    throw new EntiDBError('transaction_closed', 'The transaction has ended.')
  }
}

function assertBytes(what: string, bytes: number, limit: number): void {
  if (bytes <= limit) return
  throw new EntiDBError('too_large', `The ${what} has more than ${limit} bytes.`, {
    details: { limit },
  })
}
