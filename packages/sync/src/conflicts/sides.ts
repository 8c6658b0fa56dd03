/** The sides of a conflict as people and resolvers see them. */
import { isEntiDBError } from '@entidb/core'
import { decodeEntity } from '@entidb/core/cbor'
import type { EntityOf } from '../state/sync-transaction.ts'
import { conflictIdsOf } from './conflict-id.ts'
import type {
  GroupMember,
  LocalSide,
  OpenConflict,
  RemoteSide,
  SyncedEntity,
} from './conflict-types.ts'
import { type GroupView, type MemberView, pairOf } from './group-view.ts'
import { isBaseLost } from './learn-remote.ts'
import { type Rejection, rejectionId } from './rejection.ts'

export function localSide({ ref, state, entityOf }: MemberView): LocalSide {
  return {
    collection: ref.collection,
    entityId: ref.entityId,
    opType: state.bytes === null ? 'DELETE' : 'PUT',
    entity: entityOf(ref, state),
  }
}

export function remoteSide({ ref, conflict, entityOf }: MemberView): RemoteSide | undefined {
  return conflict === null
    ? undefined
    : { entityVersion: conflict.remote.version, entity: entityOf(ref, conflict.remote) }
}

export function baseSide({
  ref,
  state,
  note,
  stale,
  entityOf,
}: MemberView): RemoteSide | undefined {
  return stale || isBaseLost(note, state)
    ? undefined
    : { entityVersion: state.base.version, entity: entityOf(ref, state.base) }
}

export function groupMember(member: MemberView): GroupMember {
  return { local: localSide(member), remote: remoteSide(member), base: baseSide(member) }
}

/** For people: a side that no migration brings up is shown as it is stored. None before all of the group is received. */
export function openConflicts(view: GroupView): readonly OpenConflict[] {
  if (!view.isReceived) return []
  const members = [...view.members.values()].map(asStored)
  if (members.every(({ conflict }) => conflict === null)) return []
  const locals = members.map(localSide)
  const idOf = conflictIdsOf(view)
  return members.flatMap((member, index) => openConflict(member, index, locals, idOf) ?? [])
}

/** `locals` are the local sides of the group, this member's at `index`. */
function openConflict(
  member: MemberView,
  index: number,
  locals: readonly LocalSide[],
  idOf: (pair: string) => string,
): OpenConflict | undefined {
  const pair = pairOf(member)
  const remote = remoteSide(member)
  if (pair === undefined || remote === undefined) return undefined
  return {
    id: idOf(pair),
    collection: member.ref.collection,
    entityId: member.ref.entityId,
    // As many as members.
    local: locals[index] as LocalSide,
    remote,
    base: baseSide(member),
    // Made for those who look at it: of a large group it is large, and each of its conflicts has one.
    get group() {
      return locals.filter((_, i) => i !== index)
    },
    since: member.conflict?.sinceMs ?? 0,
  }
}

function asStored(member: MemberView): MemberView {
  return { ...member, entityOf: (ref, state) => migratedOrStored(member.entityOf, ref, state) }
}

/** The entity as the application reads it or, where no migration brings it up, as it is stored. */
export function migratedOrStored(
  entityOf: EntityOf,
  ...[ref, state]: Parameters<EntityOf>
): SyncedEntity | null {
  try {
    return entityOf(ref, state)
  } catch (error) {
    if (!isEntiDBError(error, 'migration_failed')) throw error
    // Stored bytes are an entity's: a map with a text `id`.
    return state.bytes === null ? null : (decodeEntity(state.bytes) as SyncedEntity)
  }
}

/** Undefined when nothing in the group is rejected. */
export function rejectionOf(view: GroupView): Rejection | undefined {
  const members = [...view.members.values()]
  const rejected = members.filter(({ note }) => note.rejection !== null)
  const culprit = rejected.find(({ note }) => note.rejection?.code !== 'group') ?? rejected[0]
  const reason = culprit?.note.rejection ?? null
  if (culprit === undefined || reason === null) return undefined
  return {
    id: rejectionId(view, culprit.ref),
    collection: culprit.ref.collection,
    entityId: culprit.ref.entityId,
    code: reason.code,
    message: reason.message,
    outcomeUnknown: reason.unknown,
    group: members.map(({ ref, note }) => ({
      collection: ref.collection,
      entityId: ref.entityId,
      code: note.rejection?.code ?? null,
    })),
    since: reason.sinceMs,
  }
}
