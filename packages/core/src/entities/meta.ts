/**
 * What a database knows of itself, in the table `meta`. Values are deterministic CBOR.
 *
 * | key                   | value                                                            |
 * | --------------------- | ---------------------------------------------------------------- |
 * | `identity`            | databaseId, deviceId, replicaId, made with the file              |
 * | `lastOpId`            | the highest opId ever committed                                  |
 * | `feed`                | { after }: the feed holds every operation since, exclusive        |
 * | `partings`            | where the server's history parted from the one known here (`parting.ts`) |
 * | `reader:<name>`       | the opId up to which a reader of the feed needs it no more        |
 * | `collection:<name>`   | the collection's schema version and indexes                      |
 * | `reindex:<name>`      | true: index entries may be wrong, opening makes them anew          |
 * | `migrating:<name>`    | true: entities may be left that opening stores in the new version |
 * | `building:<name>:<index>` | how far an index is that is being made                        |
 * | `tool:<key>`          | what a tool keeps until it is done, such as how far an import is  |
 */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import type { KeyRange, Reader, WriteTransaction } from '../store/key-value-store.ts'
import { type Steps, wait } from './steps.ts'

export const META_TABLE = 'meta'
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export const META_KEYS = {
  identity: 'identity',
  lastOpId: 'lastOpId',
  feed: 'feed',
  partings: 'partings',
} as const
/** One of them is written by every transaction. */
const encodedKeys = new Map(
  Object.values(META_KEYS).map((key) => [key as string, encoder.encode(key)]),
)
export const READER_PREFIX = 'reader:'
export const COLLECTION_PREFIX = 'collection:'
export const REINDEX_PREFIX = 'reindex:'
export const MIGRATING_PREFIX = 'migrating:'
export const BUILDING_PREFIX = 'building:'
export const TOOL_PREFIX = 'tool:'

/** Undefined when the key was never written. */
export function* readMeta(reader: Pick<Reader, 'get'>, key: string): Steps<unknown> {
  const bytes = yield* wait(reader.get(META_TABLE, keyBytes(key)))
  return bytes === undefined ? undefined : decodeEntity(bytes)
}

export function* writeMeta(tx: WriteTransaction, key: string, value: unknown): Steps<void> {
  yield* wait(tx.put(META_TABLE, keyBytes(key), encodeEntity(value)))
}

export function* deleteMeta(tx: WriteTransaction, key: string): Steps<void> {
  yield* wait(tx.delete(META_TABLE, keyBytes(key)))
}

function keyBytes(key: string): Uint8Array {
  return encodedKeys.get(key) ?? encoder.encode(key)
}

/** Entries whose key begins with `prefix`, without it. Few: all at once. */
export function* readMetaEntries(
  reader: Reader,
  prefix: string,
): Steps<ReadonlyMap<string, unknown>> {
  // All prefixes end in `:`, and `;` is the next character.
  const lt = encoder.encode(`${prefix.slice(0, -1)};`)
  return entriesWith(prefix, yield* readRange(reader, { gte: encoder.encode(prefix), lt }))
}

/** Everything, by key. */
export function readAllMeta(reader: Reader): Steps<ReadonlyMap<string, unknown>> {
  return readRange(reader, {})
}

/** Those of `meta` whose key begins with `prefix`, without it. */
export function entriesWith(
  prefix: string,
  meta: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, unknown> {
  const entries = new Map<string, unknown>()
  for (const [key, value] of meta) {
    if (key.startsWith(prefix)) entries.set(key.slice(prefix.length), value)
  }
  return entries
}

function* readRange(reader: Reader, range: KeyRange): Steps<ReadonlyMap<string, unknown>> {
  const entries = new Map<string, unknown>()
  const cursor = reader.scan(META_TABLE, range)
  for (;;) {
    const { keys, values } = yield* wait(cursor.next(100))
    if (keys.length === 0) return entries
    for (let i = 0; i < keys.length; i++) {
      entries.set(decoder.decode(keys[i]), decodeEntity(values[i] ?? new Uint8Array(0)))
    }
  }
}
