/**
 * Makes the indexes of a salvaged database from its records. Where records are missing and nobody knows which,
 * the old entries tell first.
 */
import type { KeyValueStore, StoreSnapshot, TreeCursor } from '../store/key-value-store.ts'
import type { CollectionSpec, CollectionState } from './collection-state.ts'
import { idOfKey } from './entity-id.ts'
import { listOf } from './entry-keys.ts'
import { idKeyOfEntry, indexEntryValue } from './index-plan.ts'
import { KeyList } from './key-list.ts'
import { COLLECTION_PREFIX, readMetaEntries } from './meta.ts'
import { indexKeysOf } from './prepared-entity.ts'
import type { LossList } from './salvage-report.ts'
import type { SalvageWriter } from './salvage-writer.ts'
import { runSteps } from './steps.ts'
import { roleOfTable } from './table-role.ts'
import { unmigratedTable } from './unmigrated.ts'
import { storedCollection } from './verify-collection.ts'
import { readStoredEntity } from './verify-record.ts'

const BATCH = 512
const SORTED_BYTES_MAX = 4 * 1024 * 1024
const NOTHING = new Uint8Array(0)

export async function remakeIndexes(
  store: KeyValueStore,
  writer: SalvageWriter,
  losses: LossList,
  onProgress: (entities: number) => void,
): Promise<void> {
  const view = store.snapshot()
  try {
    for (const table of await view.tables()) {
      if (roleOfTable(table).kind !== 'index') continue
      await nameMissing(view, table, losses)
      await writer.clear(table)
    }
    for (const [name, spec] of await runSteps(readMetaEntries(view, COLLECTION_PREFIX))) {
      const state = stateOf(name, spec, losses)
      if (state !== undefined) await buildIndexes(view, state, writer, onProgress)
    }
    await writer.flush()
  } finally {
    view.release()
  }
}

/** Entities that an index knows and that are not there. */
async function nameMissing(view: StoreSnapshot, table: string, losses: LossList): Promise<void> {
  const { collection } = roleOfTable(table)
  if (collection === undefined) return
  for await (const [key, value] of entriesOf(view.scan(table, {}))) {
    const idKey = idKeyOf(key, value)
    if (idKey === undefined) continue
    if ((await view.get(`c:${collection}`, idKey)) !== undefined) continue
    const id = idOfKey(idKey)
    losses.add({ code: 'corrupt', collection, id, message: `the entity ${id} could not be read` })
  }
}

/** Undefined for an entry that makes no sense. */
function idKeyOf(key: Uint8Array, value: Uint8Array): Uint8Array | undefined {
  try {
    return idKeyOfEntry(key, value)
  } catch {
    // The value is no number.
    return undefined
  }
}

/** Undefined for a definition that makes no sense: it is made anew when the application opens the database. */
function stateOf(name: string, spec: unknown, losses: LossList): CollectionState | undefined {
  try {
    // Written by the catalog; anything else throws.
    return storedCollection(name, spec as CollectionSpec)
  } catch (error) {
    const message = `the stored definition of ${name} makes no sense: ${String(error)}`
    losses.add({ code: 'invalid_record', collection: name, message })
    return undefined
  }
}

async function buildIndexes(
  view: StoreSnapshot,
  state: CollectionState,
  writer: SalvageWriter,
  onProgress: (entities: number) => void,
): Promise<void> {
  if (state.indexes.length === 0) return
  const batches = state.indexes.map(({ table }) => new SortedEntries(table))
  for await (const [idKey, record] of entriesOf(view.scan(state.recordTable, {}))) {
    const stored = readStoredEntity(idKey, record)
    // Others were not let in.
    if (typeof stored === 'string') continue
    // Nobody here knows the migrations: entries of the stored form, until the application opens the database.
    if (stored.stored.schemaVersion < state.schemaVersion) {
      await writer.put(unmigratedTable(state.name), idKey, NOTHING)
    }
    const keys = indexKeysOf(state, idKey, stored.entity)
    for (const [i, batch] of batches.entries()) {
      for (const key of listOf(keys[i])) if (batch.add(key, idKey)) await batch.writeTo(writer)
    }
    onProgress(1)
  }
  for (const batch of batches) await batch.writeTo(writer)
}

/** A tree takes sorted keys much faster than scattered ones. */
class SortedEntries {
  readonly #table: string
  #keys = new KeyList()
  #values: Uint8Array[] = []
  #bytes = 0

  constructor(table: string) {
    this.#table = table
  }

  /** Whether it is time to write them. */
  add(key: Uint8Array, idKey: Uint8Array): boolean {
    this.#keys.add(key)
    this.#values.push(indexEntryValue(idKey))
    this.#bytes += key.length
    return this.#bytes >= SORTED_BYTES_MAX
  }

  async writeTo(writer: SalvageWriter): Promise<void> {
    const keys = this.#keys
    const values = this.#values
    this.#keys = new KeyList()
    this.#values = []
    this.#bytes = 0
    for (const position of keys.sortedPositions()) {
      // Positions are of keys, and keys and values belong together.
      await writer.put(this.#table, keys.at(position), values[position] as Uint8Array)
    }
  }
}

export async function* entriesOf(
  cursor: TreeCursor,
): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array], void, undefined> {
  for (;;) {
    const { keys, values } = await cursor.next(BATCH)
    if (keys.length === 0) return
    // Keys and values belong together.
    for (const [i, key] of keys.entries()) yield [key, values[i] as Uint8Array]
  }
}
