/** A collection in three versions of its shape, and what each looks like. */
import { encodeEntity } from '../cbor/entity-encoder.ts'
import type { Storage } from '../store/key-value-store.ts'
import {
  type AnyEntity,
  type CollectionDefinition,
  defineCollection,
  type Migration,
} from './collection-definition.ts'
import { EntiDB } from './database.ts'
import type { OpenOptions } from './open-database.ts'
import type { RawOperation } from './replication.ts'

/** `name` in version 1; `first` and `last` from 2; `status` from 3. */
export type Person = AnyEntity

export const toSecond: Migration = ({ name, ...old }) => {
  const [first, last = null] = name.split(' ')
  return { ...old, first, last }
}

export const toThird: Migration = (old) => ({ ...old, status: old.status ?? 'new' })

const indexes = { byLast: ['last'], byStatus: ['status', { first: 'desc' }] } as const

export const firstVersion: CollectionDefinition = defineCollection({
  indexes: { byName: ['name'] },
})
export const secondVersion: CollectionDefinition = defineCollection({
  version: 2,
  migrations: { 2: toSecond },
  indexes,
})
export const thirdVersion: CollectionDefinition = defineCollection({
  version: 3,
  migrations: { 2: toSecond, 3: toThird },
  indexes,
})

type Options = Partial<OpenOptions<{ people: CollectionDefinition }>>

export function openPeople(
  storage: Storage,
  people: CollectionDefinition,
  options: Options = {},
): Promise<EntiDB<{ people: CollectionDefinition }>> {
  return EntiDB.open({ ...options, storage, collections: { people } })
}

/** An entity of version 1. */
export function personOf(i: number): Person {
  return { id: `p${String(i).padStart(5, '0')}`, name: `First${i} Last${i % 7}` }
}

/** As version 3 has it. */
export function migratedPersonOf(i: number): Person {
  return { id: personOf(i).id, first: `First${i}`, last: `Last${i % 7}`, status: 'new' }
}

/** Closed again. */
export async function storePeople(storage: Storage, count: number, options: Options = {}) {
  const db = await openPeople(storage, firstVersion, options)
  await db.collection('people').putMany(Array.from({ length: count }, (_, i) => personOf(i)))
  await db.close()
}

/** What replication brings. */
export function rawPerson(person: Person, version: number, schemaVersion: number): RawOperation {
  const bytes = encodeEntity(person)
  return { collection: 'people', entityId: person.id, version, bytes, schemaVersion }
}

/** Everything that is stored, as text. */
export async function contentOf(storage: Storage): Promise<readonly string[]> {
  const store = await storage.open({ durability: 'strict' })
  const view = store.snapshot()
  const lines: string[] = []
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  for (const table of await view.tables()) {
    const { keys, values } = await view.scan(table, {}).next(100_000)
    for (const [i, key] of keys.entries()) {
      lines.push(`${table} ${hex(key)} ${hex(values[i] ?? new Uint8Array(0))}`)
    }
  }
  view.release()
  await store.close()
  return lines
}
