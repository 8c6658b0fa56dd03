// What an engine of the store benchmark offers, and what holds for every one of them.
//
// An adapter module exports `open(directory, options)`, which creates or opens a database of entities
// with two indexes: `status` (equality) and `createdAt` (range). Fairness:
//
// - Every engine stores the same entities (data-set.mjs) in the encoding it is best known for, keeps both
//   indexes, and returns plain decoded objects: all fields, as they were put in.
// - A commit counts when it would survive power loss: the adapter flushes, or waits for the flush.
// - `cacheBytes` goes to every engine that has a cache of its own; the page cache of the system is free.
// - An adapter uses its engine the way the engine's documentation recommends, and its loops are the
//   fastest we found: `getAll` and its like loop inside, so that a synchronous engine pays for no promise.
// - Nothing is trusted: workloads compare counts, checksums over the decoded fields, and the indexes with
//   what data-set.mjs says, outside the measured time.
// - Entities that are put are new, and the engine may rely on that where its interface lets it.

/**
 * @typedef {object} Entity See `entityAt` of data-set.mjs.
 *
 * @typedef {object} Engine
 * @property {(entities: Entity[]) => unknown} [prepare] Before the time of a write is taken; what it
 *   returns is passed in place of the entities. Only for `limit`, which has nothing to encode.
 * @property {(entities: Entity[]) => Promise<void>} load New entities in one durable transaction.
 * @property {(entities: Entity[]) => Promise<void>} putEach New entities in a durable transaction each,
 *   the next begun when the one before is durable.
 * @property {(entities: Entity[], committers: number) => Promise<void>} putConcurrently As `putEach`, by
 *   so many at a time, each of which goes on when its own is durable.
 * @property {(ids: string[], visit: (entity: Entity) => void) => Promise<void>} getAll One get after the other.
 * @property {(from: number, limit: number, visit: (entity: Entity) => void) => Promise<void>} range The
 *   first `limit` entities with `createdAt >= from`, in the order of `createdAt`, through the index.
 * @property {(visit: (entity: Entity) => void) => Promise<void>} scan All entities, in bounded memory.
 * @property {(ids: string[], change: (entity: Entity) => Entity) => Promise<void>} update One durable
 *   transaction: reads each entity, and stores what `change` returns, with its indexes.
 * @property {() => Promise<number>} count
 * @property {(status: string) => Promise<number>} countByStatus By the index.
 * @property {() => Promise<void>} close
 */

const OPERATIONS = [
  ...['load', 'putEach', 'putConcurrently', 'getAll', 'range', 'scan', 'update'],
  ...['count', 'countByStatus', 'close'],
]

/** @returns {Engine} */
export function assertEngine(engine) {
  const missing = OPERATIONS.filter((name) => typeof engine[name] !== 'function')
  if (missing.length > 0) throw new Error(`the adapter lacks ${missing.join(', ')}`)
  return engine
}

/** `committers` loops over the entities, each of which waits for its own put. */
export async function runCommitters(entities, committers, put) {
  let next = 0
  const commit = async () => {
    while (next < entities.length) await put(entities[next++])
  }
  await Promise.all(Array.from({ length: committers }, commit))
}
