/**
 * `sync.verify`: asks the server whether it holds exactly what is stored here, names what differs, and
 * repairs it on request. Runs in the place of a cycle, so that no cycle moves what is compared.
 */
import { EntiDBError, isEntiDBError } from '@entidb/core'
import type { VerifyResponse } from '@entidb/protocol'
import type { ExclusiveTurn } from '../cycle/cycle-driver.ts'
import type { SyncContext } from '../cycle/sync-context.ts'
import { sameBytes } from '../same-bytes.ts'
import { type Divergence, findDivergence } from './find-divergence.ts'
import { repair } from './repair.ts'
import { type DigestAtSnapshot, RollingDigest } from './rolling-digest.ts'
import { type StoredDigest, totalOf, type Unsettled } from './stored-digest.ts'
import type {
  DivergentEntity,
  NotAskedReason,
  VerifyOptions,
  VerifyResult,
} from './verify-result.ts'

/** Times that edits or other devices may come in between. */
const TRIES_MAX = 10
/** Each has to repair something; the list of divergent entities is bounded. */
const REPAIRS_MAX = 20

const MESSAGES: Readonly<Record<NotAskedReason, string>> = {
  pending: 'Local edits are not synced yet: verify again when they are',
  held: 'Conflicts or rejections are open: settle them first',
  notOffered:
    'The server keeps no digest for this token, which may see only a part of the database',
  moving: 'Other devices wrote all the while: verify again when it is quieter',
}

const SERVER_MOVED: ReadonlySet<string> = new Set([
  'cursor_moved',
  'epoch_mismatch',
  'cursor_expired',
  'cursor_ahead',
])

/** What one question found. */
type Answer =
  | { readonly outcome: 'converged'; readonly stored: StoredDigest }
  | {
      readonly outcome: 'diverged'
      readonly stored: StoredDigest
      readonly collections: readonly string[]
      readonly divergence: Divergence
    }
  | { readonly outcome: 'again'; readonly reason: NotAskedReason }
  | { readonly outcome: 'notAsked'; readonly reason: NotAskedReason }

/** Errors: those of a cycle; the reason of `signal`. */
export async function verify(
  context: SyncContext,
  { cycle, signal: stopped }: ExclusiveTurn,
  { repair: repairs = false, signal: outer }: VerifyOptions,
): Promise<VerifyResult> {
  const signal = outer === undefined ? stopped : AbortSignal.any([stopped, outer])
  try {
    return await verifyUntilKnown(context, cycle, repairs, signal)
  } catch (error) {
    // Requests say `sync_stopped` of whatever ends them.
    if (outer?.aborted === true && !stopped.aborted) throw outer.reason
    throw stopped.aborted ? new EntiDBError('sync_stopped', 'Sync was stopped') : error
  }
}

async function verifyUntilKnown(
  context: SyncContext,
  cycle: ExclusiveTurn['cycle'],
  repairs: boolean,
  signal: AbortSignal,
): Promise<VerifyResult> {
  const repaired: DivergentEntity[] = []
  for (let repairsDone = 0; ; repairsDone++) {
    const answer = await askUntilAnswered(context, cycle, signal)
    if (answer.outcome === 'notAsked' || answer.outcome === 'again') {
      const { reason } = answer
      return { outcome: 'notAsked', reason, message: MESSAGES[reason], repaired }
    }
    const { cursor } = answer.stored
    if (answer.outcome === 'converged') {
      const { entities } = totalOf(answer.stored)
      return repaired.length === 0
        ? { outcome: 'converged', cursor, entities }
        : { outcome: 'repaired', cursor, entities, repaired }
    }
    const { collections, divergence } = answer
    const healed =
      repairs && repairsDone < REPAIRS_MAX
        ? await repair(context, divergence.divergent, signal)
        : []
    repaired.push(...healed)
    if (healed.length === 0) {
      return { outcome: 'diverged', cursor, collections, ...divergence, repaired }
    }
  }
}

async function askUntilAnswered(
  context: SyncContext,
  cycle: ExclusiveTurn['cycle'],
  signal: AbortSignal,
): Promise<Answer> {
  const digest = new RollingDigest(context)
  try {
    for (let tries = 1; ; tries++) {
      signal.throwIfAborted()
      await cycle()
      const answer = await ask(context, digest, signal)
      if (answer.outcome !== 'again' || tries === TRIES_MAX) return answer
    }
  } finally {
    digest.release()
  }
}

async function ask(
  context: SyncContext,
  digest: RollingDigest,
  signal: AbortSignal,
): Promise<Answer> {
  if (context.capabilities?.digest !== true) return { outcome: 'notAsked', reason: 'notOffered' }
  try {
    const answer = await askAbout(context, await digest.read(signal), signal)
    return answer ?? (await askAboutEverything(context, await digest.readAgain(signal), signal))
  } catch (error) {
    // The server went on, or is another one: a cycle takes that in.
    if (!isEntiDBError(error) || !SERVER_MOVED.has(error.code)) throw error
    return { outcome: 'again', reason: 'moving' }
  }
}

/** Undefined: no match, but the digest was carried on from an earlier one. */
async function askAbout(
  context: SyncContext,
  present: DigestAtSnapshot | Unsettled,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  if (typeof present === 'string' || present.isFull) {
    return askAboutEverything(context, present, signal)
  }
  const { match } = await compare(context, present.stored, signal)
  return match ? { outcome: 'converged', stored: present.stored } : undefined
}

async function askAboutEverything(
  context: SyncContext,
  present: DigestAtSnapshot | Unsettled,
  signal: AbortSignal,
): Promise<Answer> {
  if (present === 'pending') return { outcome: 'again', reason: 'pending' }
  if (present === 'held') return { outcome: 'notAsked', reason: 'held' }
  const { snapshot, stored } = present
  const response = await compare(context, stored, signal)
  if (response.match) return { outcome: 'converged', stored }
  const collections = differing(stored, response.collections ?? {})
  const { cursor } = stored
  const entities = entitiesOf(context, stored, collections)
  const question = { snapshot, cursor, collections, entities }
  const { moved, ...divergence } = await findDivergence(context, question, signal)
  // Perhaps all that differed: the next cycle brings it.
  if (moved && divergence.divergent.length === 0) return { outcome: 'again', reason: 'moving' }
  return { outcome: 'diverged', stored, collections: [...collections].sort(), divergence }
}

function compare(
  { store, transport }: SyncContext,
  stored: StoredDigest,
  signal: AbortSignal,
): Promise<VerifyResponse> {
  const { dbId } = store.state
  const { digest } = totalOf(stored)
  return transport.verify({ dbId, cursor: stored.cursor, digest }, signal)
}

function differing(
  { byCollection }: StoredDigest,
  theirs: Readonly<Record<string, Uint8Array>>,
): ReadonlySet<string> {
  const names = new Set([...byCollection.keys(), ...Object.keys(theirs)])
  for (const name of names) {
    const mine = byCollection.get(name)?.digest ?? null
    if (sameBytes(mine, theirs[name] ?? null)) names.delete(name)
  }
  return names
}

/** About as many as there are on the side that has more. */
function entitiesOf(
  { serverEntities = 0 }: SyncContext,
  { byCollection }: StoredDigest,
  collections: ReadonlySet<string>,
): number {
  let mine = 0
  for (const name of collections) mine += byCollection.get(name)?.entities ?? 0
  return Math.max(mine, serverEntities)
}
