/**
 * Entries of tables that nobody can name any more: what they are is told by what is in them. Records wait in a
 * table for each tree until the collection is known: from the change feed, which names the collection of every
 * write, or because there is only one. Of two states of an entity the later one stays.
 */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import type { KeyValueStore, StoreSnapshot } from '../store/key-value-store.ts'
import { ORPHAN_PREFIX } from '../store/salvage-orphans.ts'
import { recordTable } from './collection-state.ts'
import { decodeFeedRow, FEED_TABLE, feedKey, opIdOfKey } from './feed-row.ts'
import { COLLECTION_PREFIX, META_TABLE, readMeta, readMetaEntries } from './meta.ts'
import { decodeRecord } from './record.ts'
import type { SalvagedContent } from './salvage-content.ts'
import { entriesOf } from './salvage-indexes.ts'
import type { LossList } from './salvage-report.ts'
import type { SalvageWriter } from './salvage-writer.ts'
import { runSteps } from './steps.ts'

export function isOrphan(table: string): boolean {
  return table.startsWith(ORPHAN_PREFIX)
}

type Entry = readonly [key: Uint8Array, value: Uint8Array]

const META_KEY =
  /^(identity|lastOpId|feed|partings|reader:.*|collection:.*|migrating:.*|reindex:.*)$/
const decoder = new TextDecoder()

export class OrphanSorter {
  readonly #writer: SalvageWriter
  readonly #content: SalvagedContent
  /** Trees of which there are records. */
  readonly #tables = new Set<string>()
  /** The `lastOpId` of the state that the meta entries are of. */
  #metaOpId = -1

  constructor(writer: SalvageWriter, content: SalvagedContent) {
    this.#writer = writer
    this.#content = content
  }

  get tables(): ReadonlySet<string> {
    return this.#tables
  }

  /** Entries of one tree. Those of indexes are left out. */
  async take(
    table: string,
    keys: readonly Uint8Array[],
    values: readonly Uint8Array[],
  ): Promise<void> {
    // Keys and values belong together.
    const entries = keys.map((key, i) => [key, values[i] as Uint8Array] as const)
    this.#content.distrustFeed()
    if (entries.some((entry) => isMeta(entry))) return this.#takeMeta(entries)
    for (const [key, value] of entries) {
      if (this.#content.wrongWith(recordTable(''), key, value) === undefined) {
        this.#tables.add(table)
        await this.#writer.put(table, key, value)
      } else if (isOperation(key, value)) {
        this.#content.wrongWith(FEED_TABLE, key, value)
        await this.#writer.put(FEED_TABLE, key, value)
      }
    }
  }

  /** Of several states the latest. */
  async #takeMeta(entries: readonly Entry[]): Promise<void> {
    const sound = entries.filter((entry) => isMeta(entry))
    const byKey = new Map(sound.map(([key, value]) => [decoder.decode(key), value]))
    const state = { get: (_: string, key: Uint8Array) => byKey.get(decoder.decode(key)) }
    const opId = Number((await runSteps(readMeta(state, 'lastOpId'))) ?? 0)
    if (opId < this.#metaOpId) return
    this.#metaOpId = opId
    await this.#writer.clear(META_TABLE)
    for (const [key, value] of sound) {
      this.#content.wrongWith(META_TABLE, key, value)
      await this.#writer.put(META_TABLE, key, value)
    }
  }
}

/** An entity of such an id is no meta entry: its record is not one item of CBOR. */
function isMeta([key, value]: Entry): boolean {
  if (!META_KEY.test(decoder.decode(key))) return false
  try {
    decodeEntity(value)
    return true
  } catch {
    // A record, or an operation.
    return false
  }
}

/** An operation says which entity its bytes are of. */
function isOperation(key: Uint8Array, value: Uint8Array): boolean {
  if (key.length !== 8) return false
  try {
    const { collection, entityId, transactionId, opId } = decodeFeedRow(opIdOfKey(key), value)
    return collection !== '' && entityId !== '' && transactionId > 0 && transactionId <= opId
  } catch {
    // Anything may throw when it is none.
    return false
  }
}

/** Records that wait go to their collections. */
export async function placeOrphans(
  store: KeyValueStore,
  writer: SalvageWriter,
  tables: ReadonlySet<string>,
  losses: LossList,
): Promise<void> {
  let unknown = 0
  for (const table of tables) {
    const view = store.snapshot()
    try {
      const known = await collectionOf(view, table)
      const name = known ?? `recovered-${++unknown}`
      await place(view, table, recordTable(name), writer)
      if (known === undefined) {
        const message = `the collection of ${await view.count(table)} entities is not known: they are in ${name}`
        losses.add({ code: 'corrupt', collection: name, message })
      }
      await writer.clear(table)
      await writer.flush()
    } finally {
      view.release()
    }
  }
}

async function place(
  view: StoreSnapshot,
  from: string,
  to: string,
  writer: SalvageWriter,
): Promise<void> {
  for await (const [key, record] of entriesOf(view.scan(from, {}))) {
    const present = await view.get(to, key)
    if (present !== undefined && decodeRecord(present).stamp >= decodeRecord(record).stamp) continue
    await writer.put(to, key, record)
  }
}

async function collectionOf(view: StoreSnapshot, table: string): Promise<string | undefined> {
  for await (const [, record] of entriesOf(view.scan(table, {}))) {
    const { stamp } = decodeRecord(record)
    const row = await view.get(FEED_TABLE, feedKey(stamp))
    if (row !== undefined) return decodeFeedRow(stamp, row).collection
  }
  const names = [...(await runSteps(readMetaEntries(view, COLLECTION_PREFIX))).keys()]
  return names.length === 1 ? names[0] : undefined
}
