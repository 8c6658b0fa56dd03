/** The state of the store after one commit: the roots of all tables. Immutable. */
import type { MaybePromise } from '../files/file-system.ts'
import type { NamedTable } from './catalog.ts'
import type { KeyRange, TreeCursor } from './key-value-store.ts'
import type { TableRoot } from './node.ts'
import type { NodeSource } from './node-source.ts'
import type { TableNames } from './table-names.ts'
import { getFromTree } from './tree.ts'
import { RangeCursor } from './tree-cursor.ts'

export class Head {
  /** The last commit it contains. */
  readonly lsn: number
  /** By table number; tables that are empty may be missing. */
  readonly roots: readonly (TableRoot | undefined)[]
  readonly #names: TableNames

  constructor(lsn: number, roots: readonly (TableRoot | undefined)[], names: TableNames) {
    this.lsn = lsn
    this.roots = roots
    this.#names = names
  }

  table(name: string): TableRoot | undefined {
    const number = this.#names.find(name)
    return number === undefined ? undefined : this.roots[number]
  }

  get(table: string, key: Uint8Array, source: NodeSource): MaybePromise<Uint8Array | undefined> {
    return getFromTree(this.table(table)?.root, key, source)
  }

  scan(table: string, range: KeyRange, source: NodeSource, assertReadable: () => void): TreeCursor {
    return new RangeCursor(this.table(table)?.root, range, source, assertReadable)
  }

  /** The head of a later commit, or of a transaction on its way. */
  with(lsn: number, roots: readonly (TableRoot | undefined)[]): Head {
    return new Head(lsn, roots, this.#names)
  }

  /** Tables that hold entries. */
  tables(): NamedTable[] {
    const found: NamedTable[] = []
    for (const [number, table] of this.roots.entries()) {
      if (table !== undefined && table.count > 0) found.push([this.#names.nameOf(number), table])
    }
    return found
  }
}
