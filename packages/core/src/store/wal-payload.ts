/**
 * The changes of commits as they stand in a WAL frame. Specified in `docs/format.md`, "Changes".
 *
 * Every commit stands for itself: it names its tables, so that frames can hold the commits of any
 * transactions one after the other.
 */
import { ByteReader, MalformedBytes } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import type { TableNames } from './table-names.ts'

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

const COMMIT = 1
const TABLE = 2
const PUT = 3
const DELETE = 4
const CLEAR = 5

/** Writes the changes of one transaction. */
export class ChangeWriter {
  readonly #writer = new ByteWriter()
  readonly #names: TableNames
  readonly #tableNumbers = new Map<string, number>()
  /** The table of the last change, which is often that of the next one. */
  #lastTable: string | undefined
  #lastNumber = 0

  constructor(names: TableNames) {
    this.#names = names
  }

  get byteLength(): number {
    return this.#writer.byteLength
  }

  put(table: string, key: Uint8Array, value: Uint8Array): void {
    this.#writer.pair(PUT, this.#numberOf(table), key, value)
  }

  delete(table: string, key: Uint8Array): void {
    this.#change(DELETE, table)
    this.#writer.varint(key.length)
    this.#writer.bytes(key)
  }

  clear(table: string): void {
    this.#change(CLEAR, table)
  }

  /** The finished changes. The writer must not be used afterwards. */
  finish(): readonly Uint8Array[] {
    this.#writer.byte(COMMIT)
    return this.#writer.chunks()
  }

  #change(kind: number, table: string): void {
    const number = this.#numberOf(table)
    this.#writer.byte(kind)
    this.#writer.varint(number)
  }

  #numberOf(table: string): number {
    if (table !== this.#lastTable) {
      this.#lastNumber = this.#tableNumbers.get(table) ?? this.#introduce(table)
      this.#lastTable = table
    }
    return this.#lastNumber
  }

  #introduce(table: string): number {
    const number = this.#tableNumbers.size
    this.#tableNumbers.set(table, number)
    const name = this.#names.encode(table)
    this.#writer.byte(TABLE)
    this.#writer.varint(name.length)
    this.#writer.bytes(name)
    return number
  }
}

export type Change =
  | {
      readonly kind: 'put'
      readonly table: string
      readonly key: Uint8Array
      readonly value: Uint8Array
    }
  | { readonly kind: 'delete'; readonly table: string; readonly key: Uint8Array }
  | { readonly kind: 'clear'; readonly table: string }
  | { readonly kind: 'commit' }

/** The changes of a payload, with `commit` after the last change of each commit. Throws `MalformedBytes`. */
export function* decodeChanges(payload: Uint8Array): Generator<Change, void, void> {
  const reader = new ByteReader(payload)
  let tables: string[] = []
  while (!reader.atEnd) {
    const kind = reader.byte()
    if (kind === TABLE) {
      tables.push(decoder.decode(reader.bytes(reader.varint())))
    } else if (kind === COMMIT) {
      tables = []
      yield { kind: 'commit' }
    } else {
      yield decodeChange(kind, reader, tables)
    }
  }
}

function decodeChange(kind: number, reader: ByteReader, tables: readonly string[]): Change {
  const table = tables[reader.varint()]
  if (table === undefined) throw new MalformedBytes('a change names no table')
  if (kind === CLEAR) return { kind: 'clear', table }
  const keyLength = reader.varint()
  if (kind === DELETE) return { kind: 'delete', table, key: reader.bytes(keyLength) }
  if (kind !== PUT) throw new MalformedBytes(`unknown kind of change ${kind}`)
  const valueLength = reader.varint()
  return { kind: 'put', table, key: reader.bytes(keyLength), value: reader.bytes(valueLength) }
}
