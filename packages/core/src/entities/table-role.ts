/** What the tables of a database are for, by their names. `docs/format.md`, "What EntiDB keeps in the tables". */
import { collectionOfTable } from './collection-state.ts'

export interface TableRole {
  readonly kind: 'records' | 'replica' | 'index' | 'other'
  readonly collection?: string
  /** Of `kind` index. */
  readonly index?: string
}

const INDEX_TABLE = /^i:([^:]*):(.*)$/

export function roleOfTable(table: string): TableRole {
  const collection = collectionOfTable(table)
  if (collection !== undefined) {
    return { kind: table.startsWith('c') ? 'records' : 'replica', collection }
  }
  const [, indexed, index] = INDEX_TABLE.exec(table) ?? []
  return indexed === undefined || index === undefined
    ? { kind: 'other' }
    : { kind: 'index', collection: indexed, index }
}
