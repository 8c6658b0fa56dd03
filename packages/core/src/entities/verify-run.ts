/**
 * Proves that a database is whole: its files (the store's verification), and on one snapshot, in bounded
 * memory and while others go on, that every record is deterministic CBOR under its own id and that indexes and
 * entities agree both ways. Definitions are taken from the database itself.
 */
import type { KeyValueStore, StoreVerification } from '../store/key-value-store.ts'
import { type Scheduler, systemScheduler } from '../store/scheduler.ts'
import type { CollectionCode, CollectionSpec, CollectionState } from './collection-state.ts'
import type { IndexPlan } from './index-plan.ts'
import {
  BUILDING_PREFIX,
  COLLECTION_PREFIX,
  META_TABLE,
  REINDEX_PREFIX,
  readMetaEntries,
} from './meta.ts'
import { runSteps } from './steps.ts'
import { roleOfTable } from './table-role.ts'
import type { VerifyOptions } from './verify.ts'
import { storedCollection, verifyCollection } from './verify-collection.ts'
import { ProblemList, type VerifyProgress, type VerifyReport } from './verify-report.ts'
import { verifyRows } from './verify-rows.ts'
import { survives, type VerifyContext } from './verify-scan.ts'

/** `codeOf` answers undefined where nobody knows the migrations. */
export async function runVerify(
  store: KeyValueStore,
  codeOf: (collection: string) => CollectionCode | undefined,
  options: VerifyOptions & { readonly scheduler?: Scheduler },
): Promise<VerifyReport> {
  const { onProgress = () => {}, signal, scheduler = systemScheduler } = options
  const progress = (step: VerifyProgress): void => {
    signal?.throwIfAborted()
    onProgress(step)
  }
  signal?.throwIfAborted()
  const problems = new ProblemList()
  const files = await store.maintenance?.verify((step) => progress({ phase: 'files', ...step }))
  for (const problem of files?.problems ?? []) {
    problems.addDamage({ ...problem, table: problem.table, key: problem.key })
  }
  const view = store.snapshot()
  try {
    const content = await verifyContent({ view, problems, scheduler, codeOf }, progress)
    const found = problems.problems
    return { ok: found.length === 0, problems: found, checked: { ...ofFiles(files), ...content } }
  } finally {
    view.release()
  }
}

function ofFiles(files: StoreVerification | undefined): { extents: number; bytes: number } {
  return { extents: files?.checked.extents ?? 0, bytes: files?.checked.bytes ?? 0 }
}

type Content = Pick<VerifyReport['checked'], 'entities' | 'indexEntries' | 'rows'>

async function verifyContent(
  setting: Omit<VerifyContext, 'advance'>,
  onProgress: (progress: VerifyProgress) => void,
): Promise<Content> {
  const { view } = setting
  const tables = await view.tables()
  let total = 0
  for (const table of tables) total += await view.count(table)
  let done = 0
  const advance = (entries: number): void => {
    // Entries of an index may be looked at twice, when it has too many.
    done = Math.min(done + entries, total)
    onProgress({ phase: 'entities', done, total })
  }
  const context = { ...setting, advance }
  const content = { entities: 0, indexEntries: 0, rows: 0 }
  for (const state of await collectionsOf(context, tables)) {
    const { entities, indexEntries } = await verifyCollection(context, state)
    content.entities += entities
    content.indexEntries += indexEntries
  }
  for (const table of tables) content.rows += await verifyRows(context, table)
  onProgress({ phase: 'entities', done: total, total })
  return content
}

/** Those that hold something, as they were defined last; indexes that nobody defined are problems. */
async function collectionsOf(
  context: VerifyContext,
  tables: readonly string[],
): Promise<readonly CollectionState[]> {
  const specs = new Map<string, unknown>()
  let toReindex: ReadonlyMap<string, unknown> = new Map()
  let building: ReadonlyMap<string, unknown> = new Map()
  const isReadable = await survives(context, META_TABLE, async () => {
    for (const [name, spec] of await runSteps(readMetaEntries(context.view, COLLECTION_PREFIX))) {
      specs.set(name, spec)
    }
    toReindex = await runSteps(readMetaEntries(context.view, REINDEX_PREFIX))
    building = await runSteps(readMetaEntries(context.view, BUILDING_PREFIX))
  })
  const names = new Set(tables.map((table) => roleOfTable(table).collection))
  const states: CollectionState[] = []
  for (const name of [...names, ...specs.keys()]) {
    if (name === undefined || states.some((state) => state.name === name)) continue
    states.push(stateOf(context, name, specs.get(name)))
  }
  if (isReadable) for (const table of tables) reportUndefined(context, table, states)
  // Of entries that are going to be made, or made anew, nothing is to be expected.
  const isWhole = (state: CollectionState, { name }: IndexPlan) =>
    !toReindex.has(state.name) && !building.has(`${state.name}:${name}`)
  return states.map((state) => ({
    ...state,
    indexes: state.indexes.filter((index) => isWhole(state, index)),
  }))
}

const NO_INDEXES: CollectionSpec = { schemaVersion: 1, indexes: {} }

function stateOf(
  { problems, codeOf }: VerifyContext,
  name: string,
  spec: unknown,
): CollectionState {
  if (spec === undefined) return storedCollection(name, NO_INDEXES)
  try {
    // Written by the catalog; anything else throws.
    return storedCollection(name, spec as CollectionSpec, codeOf(name))
  } catch (error) {
    const message = `the stored definition of ${name} makes no sense: ${String(error)}`
    problems.add({ code: 'invalid_record', collection: name, message })
    return storedCollection(name, NO_INDEXES)
  }
}

function reportUndefined(
  { problems }: VerifyContext,
  table: string,
  states: readonly CollectionState[],
): void {
  const { kind, collection, index } = roleOfTable(table)
  if (kind !== 'index' || collection === undefined) return
  const state = states.find(({ name }) => name === collection)
  if (state?.indexes.some(({ name }) => name === index) === true) return
  const message = `${collection} has entries of an index ${index}, which is not defined`
  problems.add({ code: 'index_extra', collection, message })
}
