/** The catalog: which tables there are and where their trees begin. `docs/format.md`, "Catalog". */

import { assertInvariant } from '../errors/assert.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { EXTENT_HEADER_BYTES } from './extent-codec.ts'
import { NodeRef, type TableRoot } from './node.ts'

export type NamedTable = readonly [name: string, table: TableRoot]

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The extent of the catalog, with room for its header. Every root has an extent. */
export function encodeCatalog(tables: readonly NamedTable[], checkpointLsn: number): Uint8Array {
  const writer = new ByteWriter()
  writer.bytes(new Uint8Array(EXTENT_HEADER_BYTES))
  writer.varint(checkpointLsn)
  for (const [name, { root, count }] of tables) {
    assertInvariant(root?.extent !== undefined, 'the catalog names trees that are written')
    const nameBytes = encoder.encode(name)
    writer.varint(nameBytes.length)
    writer.bytes(nameBytes)
    writer.varint(count)
    writer.varint(root.extent.start)
    writer.varint(root.extent.bytes)
  }
  return joined(writer)
}

/** Throws `MalformedBytes`. */
export function decodeCatalog(payload: Uint8Array, count: number): NamedTable[] {
  const reader = new ByteReader(payload)
  // The checkpoint's LSN.
  reader.varint()
  const tables: NamedTable[] = []
  for (let i = 0; i < count; i++) {
    const name = decoder.decode(reader.bytes(reader.varint()))
    const entries = reader.varint()
    const root = new NodeRef(undefined, { start: reader.varint(), bytes: reader.varint() })
    tables.push([name, { root, count: entries }])
  }
  return tables
}

/** The last commit that the tree of the catalog contains. Throws `MalformedBytes`. */
export function catalogLsn(payload: Uint8Array): number {
  return new ByteReader(payload).varint()
}

function joined(writer: ByteWriter): Uint8Array {
  const bytes = new Uint8Array(writer.byteLength)
  let offset = 0
  for (const chunk of writer.chunks()) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}
