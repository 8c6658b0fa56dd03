/** A piece of the input that is one entity as JSON text. */
import { entityFromJsonText } from '../json/entity-json.ts'
import { JsonFormError } from '../json/json-value.ts'
import {
  type InputPlace,
  type InputPosition,
  type InputRecord,
  invalidInput,
} from './input-record.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** `bytes` are copied: they may be overwritten afterwards. */
export function textRecord(bytes: Uint8Array, place: InputPlace, end: InputPosition): InputRecord {
  const text = decodeText(bytes, place)
  return { place, end, encode: () => encode(text, place) }
}

function decodeText(bytes: Uint8Array, place: InputPlace): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw invalidInput(place, 'the text is not UTF-8', cause)
  }
}

function encode(text: string, place: InputPlace): Uint8Array {
  try {
    return entityFromJsonText(text)
  } catch (cause) {
    if (cause instanceof SyntaxError) throw invalidInput(place, `no JSON: ${cause.message}`, cause)
    if (cause instanceof JsonFormError) throw invalidInput(place, cause.message, cause)
    throw cause
  }
}

const NEWLINE = 0x0a

export function countLines(bytes: Uint8Array): number {
  let lines = 0
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++
  return lines
}

/** Bytes of the mark that some programs put at the beginning of UTF-8. */
export function byteOrderMark(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
}
