/** What an entry of a node takes: key length, tag, key, value (`docs/format.md`, "Leaf"). */
import { varintBytes } from './varint.ts'

/** Of the whole entry. */
export function entryBytes(key: Uint8Array, tag: number, value: Uint8Array): number {
  return varintBytes(key.length) + varintBytes(tag) + key.length + value.length
}

/** Of its value. An odd tag stands for a value that lies elsewhere. */
export function valueBytesOf(tag: number): number {
  return tag % 2 === 0 ? tag / 2 : 0
}
