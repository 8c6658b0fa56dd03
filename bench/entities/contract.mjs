// What an engine of the entities benchmark offers, and what holds for every one of them.
//
// An adapter module exports `open(directory, options)`, which creates or opens a database of entities with
// four indexes: `status` (equality), `createdAt` (range), `email` (unique) and `status` with `createdAt`
// (composite). Fairness:
//
// - Every engine stores the same entities (../harness/data-set.mjs), keeps all its indexes, and returns
//   decoded objects whose fields can be read. What else its objects are is its own affair: EntiDB's are
//   frozen and shared by all readers, LokiJS hands out the very objects that it stores.
// - An adapter uses its engine the way the engine's documentation recommends, and its loops are the
//   fastest we found: they loop inside, so that a synchronous engine pays for no promise.
// - Where an engine has no index of a kind (TinyBase no range), the adapter does the best that it can do
//   with those that there are.
// - Nothing is trusted: workloads compare counts, checksums over the decoded fields, and the order, with
//   what data-set.mjs says, outside the measured time.

/**
 * @typedef {object} Entity See `entityAt` of data-set.mjs.
 * @typedef {(entity: Entity) => void} Visit
 *
 * @typedef {object} Page `{ status, before }`: entities of a status with `createdAt < before`.
 *
 * @typedef {object} Engine
 * @property {(entities: Entity[]) => Promise<void>} load New entities.
 * @property {(status: string, visit: Visit) => Promise<void>} withStatus All of a status, by its index, in any
 *   order.
 * @property {(ranges: { from: number, to: number }[], visit: Visit) => Promise<void>} between For one range after
 *   the other: the entities with `from <= createdAt <= to`, in the order of `createdAt`, by its index.
 * @property {(emails: string[], visit: Visit) => Promise<void>} withEmails The entity of each, one after the
 *   other, by the unique index.
 * @property {(pages: Page[], limit: number, visit: Visit) => Promise<void>} newest For one page after the other:
 *   the `limit` entities with the highest `createdAt`, highest first, by the composite index.
 * @property {(test: (entity: Entity) => boolean, visit: Visit) => Promise<void>} filter All entities that pass,
 *   by looking at every one, in any order.
 * @property {() => Promise<void>} close
 *
 * Engines of the rows of live queries have more.
 * @property {(entity: Entity) => Promise<void>} [put] In a commit of its own.
 * @property {(range: { from: number, to: number }, listener: (changed: Entity) => void) => Promise<() => unknown>}
 *   [liveBetween] A live query of the entities of `between`, in their order; the listener is told of one that
 *   changed once the whole result is there to read. The answer closes it.
 * @property {(entities: Entity[]) => Promise<() => void>} [liveOfEach] For each entity a live query that it alone
 *   is an answer of. The answer closes them.
 */

const OPERATIONS = ['load', 'withStatus', 'between', 'withEmails', 'newest', 'filter', 'close']

/** @returns {Engine} */
export function assertEngine(engine) {
  const missing = OPERATIONS.filter((name) => typeof engine[name] !== 'function')
  if (missing.length > 0) throw new Error(`the adapter lacks ${missing.join(', ')}`)
  return engine
}
