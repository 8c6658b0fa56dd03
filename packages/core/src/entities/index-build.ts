/**
 * Fills indexes from the records that are there, when a database is opened: in transactions of bounded size, so
 * that memory is bounded and what was done is not lost when the process dies. Where a build has come to is
 * stored with its entries, and the next opening goes on from there. Writers keep all entries of an index meanwhile,
 * also of records that it has not come to: to put an entry twice is to put it once.
 */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { bytesEqual } from '../store/bytes.ts'
import type { Reader, WriteTransaction } from '../store/key-value-store.ts'
import type { CollectionState } from './collection-state.ts'
import { idOfKey } from './entity-id.ts'
import { IndexBatch } from './index-batch.ts'
import { updateIndexes } from './index-maintenance.ts'
import type { IndexPlan } from './index-plan.ts'
import { indexedForm } from './indexed-form.ts'
import { BUILDING_PREFIX, deleteMeta, readMetaEntries, writeMeta } from './meta.ts'
import type { OpenProgress, OpenWork } from './open-work.ts'
import { indexKeysOf } from './prepared-entity.ts'
import { decodeRecord } from './record.ts'
import { REWRITE_BOUNDS, type RewriteBounds, type RunInTransaction } from './rewrite-older.ts'
import { runSteps, type Steps, wait } from './steps.ts'
import { refuseDuplicates } from './unique-build.ts'
import { rememberUnmigrated } from './unmigrated.ts'

/** Large records are all in memory at once. */
const RECORDS_AT_ONCE = 64

/** An index that is not whole yet. */
export interface BuildOrder {
  /** It has the entries of the records up to this id; null: of none. */
  readonly after: Uint8Array | null
  /** How many those are. */
  readonly done: number
  /** What was stored before it was unique may hold duplicates: it is refused then. */
  readonly isNewlyUnique: boolean
}

/** The index is made anew, from nothing. */
export function* orderBuild(
  tx: WriteTransaction,
  { name }: CollectionState,
  index: IndexPlan,
  isNewlyUnique: boolean,
): Steps<void> {
  yield* wait(tx.clear(index.table))
  const order: BuildOrder = { after: null, done: 0, isNewlyUnique }
  yield* writeMeta(tx, keyOf(name, index.name), order)
}

/** The index is no more, or whole. */
export function* endBuild(tx: WriteTransaction, collection: string, index: string): Steps<void> {
  yield* deleteMeta(tx, keyOf(collection, index))
}

/** Of the collection's indexes those that are not whole, by name. */
export function* readBuilds(
  view: Reader,
  collection: string,
): Steps<ReadonlyMap<string, BuildOrder>> {
  // Written by `orderBuild` and `buildSome`.
  return (yield* readMetaEntries(view, keyOf(collection, ''))) as ReadonlyMap<string, BuildOrder>
}

function keyOf(collection: string, index: string): string {
  return `${BUILDING_PREFIX}${collection}:${index}`
}

/** Makes all indexes of the collection whole. Error: `unique_violation`: then the index stays unfinished. */
export async function buildIndexes(
  inTransaction: RunInTransaction,
  state: CollectionState,
  work: OpenWork,
  bounds: RewriteBounds = REWRITE_BOUNDS,
): Promise<void> {
  for (;;) {
    const progress = await inTransaction((tx) => buildSome(tx, state, work, bounds))
    if (progress.length === 0) return
    await runSteps(work.did(...progress))
  }
}

/** As `buildIndexes`, as a part of one transaction. */
export function* buildAtOnce(
  tx: WriteTransaction,
  state: CollectionState,
  work: OpenWork,
): Steps<void> {
  for (;;) {
    const progress = yield* buildSome(tx, state, work, REWRITE_BOUNDS)
    if (progress.length === 0) return
    yield* work.did(...progress)
  }
}

/** Answers what was done; nothing when nothing is left. */
function* buildSome(
  tx: WriteTransaction,
  state: CollectionState,
  work: OpenWork,
  bounds: RewriteBounds,
): Steps<readonly OpenProgress[]> {
  const builds = yield* readBuilds(tx, state.name)
  const plans = state.indexes.filter(({ name }) => builds.has(name))
  const [first] = plans
  if (first === undefined) return []
  // Those that have come as far as the first one go on together.
  const place = builds.get(first.name)?.after ?? null
  const together = plans.filter(({ name }) => isSamePlace(builds.get(name)?.after ?? null, place))
  const step = yield* fillSome(tx, { ...state, indexes: together }, place, bounds)
  const total = yield* wait(tx.count(state.recordTable))
  const progress: OpenProgress[] = []
  for (const plan of together) {
    const order = builds.get(plan.name) as BuildOrder
    const done = step.isAtEnd ? total : Math.min(order.done + step.records, total)
    if (step.isAtEnd) {
      if (order.isNewlyUnique) yield* refuseDuplicates(tx, state, plan, work)
      yield* endBuild(tx, state.name, plan.name)
    } else {
      yield* writeMeta(tx, keyOf(state.name, plan.name), { ...order, after: step.idKey, done })
    }
    progress.push({ phase: 'index', collection: state.name, index: plan.name, done, total })
  }
  return progress
}

interface FilledStep {
  readonly idKey: Uint8Array | null
  readonly records: number
  readonly isAtEnd: boolean
}

function* fillSome(
  tx: WriteTransaction,
  state: CollectionState,
  after: Uint8Array | null,
  { entitiesMax, bytesMax }: RewriteBounds,
): Steps<FilledStep> {
  const cursor = tx.scan(state.recordTable, after === null ? {} : { gt: after })
  const batch = new IndexBatch()
  let idKey = after
  let records = 0
  let bytes = 0
  let isAtEnd = false
  while (!isAtEnd && records < entitiesMax && bytes < bytesMax) {
    const { keys, values } = yield* wait(
      cursor.next(Math.min(RECORDS_AT_ONCE, entitiesMax - records)),
    )
    isAtEnd = keys.length === 0
    for (let i = 0; i < keys.length; i++) {
      // Keys and values belong together.
      idKey = keys[i] as Uint8Array
      const record = values[i] as Uint8Array
      const form = indexedForm(state, idOfKey(idKey), decodeRecord(record))
      const entries = indexKeysOf(state, idKey, decodeEntity(form.bytes))
      yield* updateIndexes(tx, state, idKey, undefined, entries, batch)
      if (!form.isCurrent) yield* rememberUnmigrated(tx, state.name, idKey)
      bytes += record.length
    }
    records += keys.length
  }
  yield* batch.flush(tx)
  return { idKey, records, isAtEnd }
}

function isSamePlace(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === b || (a !== null && b !== null && bytesEqual(a, b))
}
