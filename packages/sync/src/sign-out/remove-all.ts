/**
 * Removes everything that sync brought or knows, in bounded transactions. A mark is there from the first to
 * the last of them, and who opens the database for sync meanwhile finishes the work before anything else: what
 * is half removed is never taken for deletes to push.
 */
import type { ReplicaEntry } from '@entidb/core/replication'
import type { EntityRef } from '../entity-ref.ts'
import type { Engine, EngineTransaction } from '../state/engine.ts'
import { ABSENT, type FreshStartRow, type SignOutRow, STATE_COLLECTION } from '../state/rows.ts'

/** What a sign-out did. */
export interface SignedOut {
  /** Entities, and marks of deleted ones, that were removed. */
  readonly removed: number
  /** Entities that the application wrote after `finish` had begun: they stay, as new ones. */
  readonly kept: readonly EntityRef[]
}

const STEP_ENTITIES = 200
/** Rows with values of any size are among them. */
const STEP_ROWS = 50
const MARK: SignOutRow['id'] = 'signOut'
const FRESH_START: FreshStartRow['id'] = 'freshStart'

/** In the transaction that decides it. */
export async function markSignOut(
  { system }: Pick<EngineTransaction, 'system'>,
  throughOpId: number,
): Promise<void> {
  const row: SignOutRow = { id: MARK, throughOpId }
  await system.put(STATE_COLLECTION, row)
}

/** Finishes a sign-out that was begun, by whomever. `deviceId` names the installation from then on. */
export async function finishSignOut(engine: Engine, deviceId: string): Promise<SignedOut> {
  const kept: EntityRef[] = []
  let removed = 0
  for (let after: EntityRef | undefined; ; ) {
    const step = await engine.transaction((tx) => removeEntities(tx, after))
    if (step === undefined) break
    removed += step.removed
    kept.push(...step.kept)
    after = step.after
  }
  for (const collection of engine.systemCollections) {
    while (await engine.transaction((tx) => removeRows(tx, collection)));
  }
  await letGoOfFeed(engine)
  await engine.transaction((tx) => begin(tx, deviceId))
  return { removed, kept }
}

/** Undefined when there is nothing left, or the sign-out is finished. */
async function removeEntities(
  tx: EngineTransaction,
  after: EntityRef | undefined,
): Promise<(SignedOut & { readonly after: EntityRef }) | undefined> {
  const mark = await findMark(tx)
  if (mark === undefined) return undefined
  const entries = await tx.replica.scan({
    ...(after === undefined ? {} : { after }),
    entriesMax: STEP_ENTITIES,
  })
  const last = entries.at(-1)
  if (last === undefined) return undefined
  const kept: EntityRef[] = []
  for (const entry of entries) {
    const { collection, entityId } = entry
    if (await isNew(tx, entry, mark)) {
      await tx.replica.rebase(collection, entityId, ABSENT)
      kept.push({ collection, entityId })
    } else await tx.replica.applyRaw({ collection, entityId, ...ABSENT })
  }
  const { collection, entityId } = last
  return { removed: entries.length - kept.length, kept, after: { collection, entityId } }
}

/** A delete is not kept: what it deleted is gone anyway, and it must not reach a server. */
async function isNew(
  { replica }: EngineTransaction,
  { collection, entityId, pending, deleted }: ReplicaEntry,
  { throughOpId }: SignOutRow,
): Promise<boolean> {
  if (!pending || deleted) return false
  return (await replica.state(collection, entityId)).opId > throughOpId
}

/** False when the collection holds nothing but the mark, or the sign-out is finished. */
async function removeRows(tx: EngineTransaction, collection: string): Promise<boolean> {
  if ((await findMark(tx)) === undefined) return false
  // Every row of sync has an id.
  const rows = (await tx.system.page(collection, { limit: STEP_ROWS })) as readonly {
    readonly id: string
  }[]
  const others = rows.filter(({ id }) => collection !== STATE_COLLECTION || id !== MARK)
  for (const { id } of others) await tx.system.delete(collection, id)
  return others.length > 0
}

/** The feed keeps what other readers still want. */
async function letGoOfFeed(engine: Engine): Promise<void> {
  for (let feedAfter = -1; feedAfter < engine.feedAfter; ) {
    feedAfter = engine.feedAfter
    await engine.transaction(async (tx) => {
      const mark = await findMark(tx)
      if (mark !== undefined) await tx.acknowledgeFeed(mark.throughOpId)
    })
  }
}

async function begin(tx: EngineTransaction, deviceId: string): Promise<void> {
  const mark = await findMark(tx)
  if (mark === undefined) return
  await tx.system.delete(STATE_COLLECTION, MARK)
  const row: FreshStartRow = { id: FRESH_START, deviceId, feedPosition: mark.throughOpId }
  await tx.system.put(STATE_COLLECTION, row)
}

async function findMark({ system }: EngineTransaction): Promise<SignOutRow | undefined> {
  // As `markSignOut` wrote it.
  return (await system.get(STATE_COLLECTION, MARK)) as SignOutRow | undefined
}

export interface SignOutTraces {
  /** A sign-out has begun and not finished. */
  readonly unfinished: boolean
  /** Where to begin after one that has finished, until sync has begun. */
  readonly freshStart: FreshStartRow | undefined
}

export function readSignOut(engine: Engine): Promise<SignOutTraces> {
  return engine.transaction(async (tx) => ({
    unfinished: (await findMark(tx)) !== undefined,
    // As `begin` wrote it.
    freshStart: (await tx.system.get(STATE_COLLECTION, FRESH_START)) as FreshStartRow | undefined,
  }))
}
