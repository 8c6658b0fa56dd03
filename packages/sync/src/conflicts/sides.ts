/** Decodes the sides of a conflict for people and resolvers. */
import { decodeEntity } from '@entidb/core/cbor'
import type {
  GroupMember,
  LocalSide,
  OpenConflict,
  RemoteSide,
  SyncedEntity,
} from './conflict-types.ts'
import { conflictId, type GroupView, type MemberView } from './group-view.ts'
import type { Rejection } from './rejection.ts'

export function localSide({ ref, state }: MemberView): LocalSide {
  return {
    collection: ref.collection,
    entityId: ref.entityId,
    opType: state.bytes === null ? 'DELETE' : 'PUT',
    entity: decoded(state.bytes),
  }
}

export function remoteSide({ conflict }: MemberView): RemoteSide | undefined {
  return conflict === null
    ? undefined
    : { entityVersion: conflict.remote.version, entity: decoded(conflict.remote.bytes) }
}

export function baseSide({ state, stale }: MemberView): RemoteSide | undefined {
  return stale
    ? undefined
    : { entityVersion: state.base.version, entity: decoded(state.base.bytes) }
}

export function groupMember(member: MemberView): GroupMember {
  return { local: localSide(member), remote: remoteSide(member), base: baseSide(member) }
}

/** The local sides of all members but one. */
export function otherLocalSides(view: GroupView, member: MemberView): readonly LocalSide[] {
  return [...view.members.values()].filter((each) => each !== member).map(localSide)
}

export function openConflicts(view: GroupView): readonly OpenConflict[] {
  return [...view.members.values()].flatMap((member) => openConflict(view, member) ?? [])
}

function openConflict(view: GroupView, member: MemberView): OpenConflict | undefined {
  const id = conflictId(member)
  const remote = remoteSide(member)
  if (id === undefined || remote === undefined) return undefined
  return {
    id,
    collection: member.ref.collection,
    entityId: member.ref.entityId,
    local: localSide(member),
    remote,
    base: baseSide(member),
    group: otherLocalSides(view, member),
    since: member.conflict?.sinceMs ?? 0,
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
    id: String(Math.min(...view.groups)),
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

function decoded(bytes: Uint8Array | null): SyncedEntity | null {
  // Stored bytes are an entity's: a map with a text `id`.
  return bytes === null ? null : (decodeEntity(bytes) as SyncedEntity)
}
