/** Bytes and values as a reader of a report wants to see them: CBOR in diagnostic notation, else hex. */
import { CborReader } from '@entidb/core/cbor'
import { hexOf } from './cbor-item.ts'

const HEX_BYTES_MAX = 120

/** Of a whole body. What is no plain message is shown in hex. */
export function diagnosticOf(bytes: Uint8Array): string {
  return readWhole(bytes) ?? shortHex(bytes)
}

/** A value as text; equal values have equal texts, whatever the order of their keys. */
export function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return readEntity(value) ?? shortHex(value)
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${pairs.map(([key, item]) => `${key}: ${textOf(item)}`).join(', ')}}`
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

/** Cut in the middle: both ends tell something. */
export function shortened(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text
  const half = Math.floor(charsMax / 2)
  return `${text.slice(0, half)} ... ${text.slice(text.length - half)}`
}

function shortHex(bytes: Uint8Array): string {
  const shown = hexOf(bytes.subarray(0, HEX_BYTES_MAX))
  const rest = bytes.length > HEX_BYTES_MAX ? `... (${bytes.length} bytes)` : ''
  return `h'${shown}${rest}'`
}

function readWhole(bytes: Uint8Array): string | undefined {
  try {
    const reader = new CborReader(bytes)
    const text = readItem(reader, 0)
    return reader.atEnd ? text : undefined
  } catch {
    // Not well-formed, or of a kind that no message has: shown in hex.
    return undefined
  }
}

/** Entities are byte strings that hold a map; their hex is still what was sent. */
function readEntity(bytes: Uint8Array): string | undefined {
  if ((bytes[0] ?? 0) >>> 5 !== 5) return undefined
  const text = readWhole(bytes)
  return text === undefined ? undefined : `${shortHex(bytes)} / ${text} /`
}

const DEPTH_MAX = 16

function readItem(reader: CborReader, depth: number): string {
  const major = reader.peekMajor()
  if (depth > DEPTH_MAX) throw new RangeError('too deep to be shown')
  if (major <= 1) return String(reader.readInt())
  if (major === 2) return textOf(reader.readBytes())
  if (major === 3) return JSON.stringify(reader.readText())
  if (major === 4) {
    const items = Array.from({ length: reader.readArrayHeader() }, () =>
      readItem(reader, depth + 1),
    )
    return `[${items.join(', ')}]`
  }
  if (major === 5) {
    const pairs = Array.from({ length: reader.readMapHeader() }, () => {
      const key = readItem(reader, depth + 1)
      return `${key}: ${readItem(reader, depth + 1)}`
    })
    return `{${pairs.join(', ')}}`
  }
  if (!reader.isNull()) return String(reader.readBoolean())
  reader.readNull()
  return 'null'
}
