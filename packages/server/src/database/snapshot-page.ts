/**
 * One page of a snapshot: the newest operations of the entities that follow a key, in cursor order, as a page of the
 * oplog has them. Whoever stores page after page fills one part of its tree after the other, where the order
 * of the oplog would lead it all over the tree in every page.
 *
 * Each page is read from the present state. What was written behind the pages since the first one is in the
 * oplog after `through`, the head of that moment: whoever goes on from there has everything.
 */
import { decodeSyncOperation, type EntityState } from '@entidb/protocol'
import { byRevision } from './by-revision.ts'
import { type ServerReader, sortableNumber } from './collections.ts'
import { keyOfState, readStoredState, type StoredState } from './entity-state-row.ts'
import { readPulledRow } from './oplog-row.ts'
import { scanRows } from './raw-scan.ts'

export interface SnapshotBounds {
  readonly opsMax: number
  readonly bytesMax: number
}

export interface SnapshotStates {
  /** By revision. */
  readonly states: readonly EntityState[]
  /** The key in `entities` of the last one; undefined: there are no more. */
  readonly after: string | undefined
}

const ENTITIES = { collection: 'entities' as const, read: readStoredState, keyOf: keyOfState }

/**
 * What comes behind the key `after` of `entities`; undefined: from the first one on. At least one entity, however large
 * it is, where there is one.
 */
export async function readSnapshotPage(
  reader: ServerReader,
  after: string | undefined,
  { opsMax, bytesMax }: SnapshotBounds,
): Promise<SnapshotStates> {
  const states: StoredState[] = []
  let bytes = 0
  for await (const rows of scanRows(reader, ENTITIES, after)) {
    for (const state of rows) {
      bytes += state.entity?.length ?? 0
      const last = states.at(-1)
      if (last !== undefined && (states.length === opsMax || bytes > bytesMax)) {
        return { states: await inOrder(reader, states), after: keyOfState(last) }
      }
      states.push(state)
    }
  }
  return { states: await inOrder(reader, states), after: undefined }
}

async function inOrder(
  reader: ServerReader,
  states: readonly StoredState[],
): Promise<readonly EntityState[]> {
  const whole: EntityState[] = []
  for (const state of states) whole.push(isWhole(state) ? state : await withSource(reader, state))
  return byRevision(whole)
}

function isWhole(state: StoredState): state is StoredState & EntityState {
  return state.opId !== undefined
}

/** Rows of old databases do not say it: the newest operation of an entity is always in the oplog. */
async function withSource(reader: ServerReader, state: StoredState): Promise<EntityState> {
  const [row] = await reader
    .collection('server_oplog')
    .nextRaw({ after: sortableNumber(state.revision - 1), limit: 1 })
  if (row === undefined) return { ...state, opId: 0 }
  const { opId, timestampMs } = decodeSyncOperation(readPulledRow(row.bytes).operationCbor)
  return { ...state, opId, timestampMs }
}
