/** All entities of a database at one moment, as they are stored. */
import type { AnyEntity, CollectionReader, RawEntity } from '@entidb/core'
import { readEntityId } from '@entidb/core/cbor'
import type { ReplicaSnapshot } from '@entidb/core/replication'
import type { Written } from './shapes.ts'

/** Entities by `collection/id`. */
export type Contents = ReadonlyMap<string, RawEntity>

/**
 * By `collection/id`, the revision that the device knows: of what it was told of, deletes included; of an entity with
 * edits of its own, the one that they are made on. None where that is nothing.
 */
export type Revisions = ReadonlyMap<string, number>

interface Readable {
  collection(name: string): CollectionReader<AnyEntity>
}

/** Of a collection, and of all that a device knows: every commit is looked at as a whole. */
const ENTITIES_MAX = 10_000

/** Of a snapshot or a transaction. */
export async function readContents(
  from: Readable,
  collections: readonly string[],
): Promise<Contents> {
  const contents = new Map<string, RawEntity>()
  for (const name of collections) {
    const raws = await from.collection(name).nextRaw({ limit: ENTITIES_MAX })
    assertFewEnough(raws.length, name)
    for (const raw of raws) {
      contents.set(`${name}/${readEntityId(raw.bytes)}`, raw)
    }
  }
  return contents
}

/** Of everything that the device knows. */
export async function readRevisions(from: ReplicaSnapshot): Promise<Revisions> {
  const entries = await from.scan({ entriesMax: ENTITIES_MAX })
  assertFewEnough(entries.length, 'all collections')
  const known = entries.filter(({ version }) => version > 0)
  return new Map(known.map((each) => [`${each.collection}/${each.entityId}`, each.version]))
}

function assertFewEnough(count: number, where: string): void {
  if (count < ENTITIES_MAX) return
  throw new RangeError(`more than a simulation can hold: ${ENTITIES_MAX} entities in ${where}`)
}

/** Keys that differ between the two. */
export function changedKeys(before: Contents, after: Contents): string[] {
  const keys = new Set([...before.keys(), ...after.keys()])
  return [...keys].filter((key) => !isSameWritten(before.get(key), after.get(key)))
}

export function isSameWritten(
  a: Written | undefined | null,
  b: Written | undefined | null,
): boolean {
  return a?.schemaVersion === b?.schemaVersion && isSameBytes(a?.bytes, b?.bytes)
}

export function isSameBytes(
  a: Uint8Array | undefined | null,
  b: Uint8Array | undefined | null,
): boolean {
  if (a === undefined || a === null || b === undefined || b === null)
    return (a ?? null) === (b ?? null)
  return Buffer.compare(a, b) === 0
}
