/**
 * CRC-32 (ISO-HDLC, the one of zip and zlib), eight bytes per step. The same function as Node's
 * `zlib.crc32`, which may be injected where it exists.
 */

/** The CRC-32 of `bytes`; with `previous`, of everything that gave `previous` followed by `bytes`. */
export type Checksum = (bytes: Uint8Array, previous?: number) => number

const POLYNOMIAL = 0xedb88320

/** Eight tables of 256 entries in one array: table `t` starts at `t * 256`. */
const TABLES = createTables()

function createTables(): Int32Array {
  const tables = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[byte] = crc
  }
  for (let i = 256; i < tables.length; i++) {
    const before = entry(tables, i - 256)
    tables[i] = entry(tables, before & 0xff) ^ (before >>> 8)
  }
  return tables
}

/** Indices are in range by construction; typed arrays answer `undefined` only outside of it. */
function entry(table: Int32Array | Uint8Array, index: number): number {
  return table[index] as number
}

export const crc32: Checksum = (bytes, previous = 0) => {
  const tables = TABLES
  const length = bytes.length
  let crc = ~previous
  let i = 0
  for (; i + 8 <= length; i += 8) {
    const low =
      crc ^
      (entry(bytes, i) |
        (entry(bytes, i + 1) << 8) |
        (entry(bytes, i + 2) << 16) |
        (entry(bytes, i + 3) << 24))
    crc =
      entry(tables, 1792 + (low & 0xff)) ^
      entry(tables, 1536 + ((low >>> 8) & 0xff)) ^
      entry(tables, 1280 + ((low >>> 16) & 0xff)) ^
      entry(tables, 1024 + (low >>> 24)) ^
      entry(tables, 768 + entry(bytes, i + 4)) ^
      entry(tables, 512 + entry(bytes, i + 5)) ^
      entry(tables, 256 + entry(bytes, i + 6)) ^
      entry(tables, entry(bytes, i + 7))
  }
  for (; i < length; i++) crc = entry(tables, (crc ^ entry(bytes, i)) & 0xff) ^ (crc >>> 8)
  return ~crc >>> 0
}
