/** Measures the store on this machine's disk: what an application does most, each alone, on made-up entities. */
import { defineCollection, EntiDB } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'

/** What was done, how often, and how long it took. */
export interface Measurement {
  readonly work: string
  readonly operations: number
  readonly ms: number
  readonly perSecond: number
}

export interface MeasureOptions {
  /** An empty directory; what is in it afterwards is nobody's. */
  readonly directory: string
  readonly entities: number
  readonly now: () => number
  readonly stop: AbortSignal
  /** Called before each. */
  readonly began: (work: string, index: number, total: number) => void
}

interface Thing {
  readonly id: string
  readonly group: number
  readonly text: string
}

const collections = { things: defineCollection<Thing>({ indexes: { group: ['group'] } }) }
const GROUP_ENTITIES = 20
/** Each waits for the disk. */
const COMMITS_MAX = 500

type Database = EntiDB<typeof collections>
type Work = readonly [name: string, operations: number, run: (db: Database) => Promise<unknown>]

export async function measureStore(options: MeasureOptions): Promise<readonly Measurement[]> {
  const { directory, now, stop, began } = options
  const db = await EntiDB.open({ storage: fileStorage(directory), collections })
  try {
    const works = worksOf(options)
    const measured: Measurement[] = []
    for (const [index, [work, operations, run]] of works.entries()) {
      stop.throwIfAborted()
      began(work, index, works.length)
      const startMs = now()
      await run(db)
      const ms = now() - startMs
      measured.push({ work, operations, ms, perSecond: (operations / Math.max(ms, 0.001)) * 1000 })
    }
    return measured
  } finally {
    await db.close()
  }
}

function worksOf({ entities, stop }: MeasureOptions): readonly Work[] {
  const commits = Math.min(entities, COMMITS_MAX)
  const groups = Math.ceil(entities / GROUP_ENTITIES)
  const each = async (count: number, task: (i: number) => Promise<unknown>): Promise<void> => {
    for (let i = 0; i < count; i++) {
      stop.throwIfAborted()
      await task(i)
    }
  }
  return [
    [
      'put in one transaction, with an index',
      entities,
      (db) => db.collection('things').putMany(things(entities, groups)),
    ],
    [
      'durable commits, one after the other',
      commits,
      (db) => each(commits, (i) => db.collection('things').put(thing(i, groups))),
    ],
    [
      'get by id',
      entities,
      // A prime step: neighbours in time are none in the tree.
      (db) => each(entities, (i) => db.collection('things').get(idOf((i * 7919) % entities))),
    ],
    [
      `find by index, up to ${GROUP_ENTITIES} entities each`,
      groups,
      (db) => each(groups, (group) => db.collection('things').find({ where: { group } })),
    ],
    ['scan, entities', entities, (db) => scanAll(db, stop)],
  ]
}

async function scanAll(db: Database, stop: AbortSignal): Promise<void> {
  for await (const _ of db.collection('things').scan()) stop.throwIfAborted()
}

function* things(count: number, groups: number): Generator<Thing> {
  for (let i = 0; i < count; i++) yield thing(i, groups)
}

function thing(i: number, groups: number): Thing {
  return { id: idOf(i), group: i % groups, text: `what is said of thing ${i} `.repeat(4) }
}

const idOf = (i: number): string => `t${String(i).padStart(8, '0')}`
