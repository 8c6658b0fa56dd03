/** Entities as operations carry them, for people and programs. */
import { decodeEntity } from '@entidb/core/cbor'
import { type JsonValue, toJson } from '../data/json/json-value.ts'

/** Null for a delete. */
export function entityOf(bytes: Uint8Array | null): JsonValue {
  return bytes === null ? null : toJson(decodeEntity(bytes))
}
