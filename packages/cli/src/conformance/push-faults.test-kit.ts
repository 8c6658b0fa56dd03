/** Known faults in deciding pushes and in answering them. */
import type { SyncOperation } from '@entidb/protocol'
import type { KnownFault } from './known-fault.test-kit.ts'
import { pushAnswers, pushes, pushRequests } from './message-faults.test-kit.ts'

export const pushFaults: readonly KnownFault[] = [
  {
    name: 'committed leaves out duplicates',
    createFault: () => {
      const seen = new Set<string>()
      return pushes(({ deviceId }, answer) => ({
        ...answer,
        committed: (answer.committed ?? []).filter(({ opId }) => {
          const key = `${deviceId} ${opId}`
          const isNew = !seen.has(key)
          seen.add(key)
          return isNew
        }),
      }))
    },
    fails: [
      'group/duplicates',
      'group/rejection-duplicates',
      'push/content',
      'push/one-list',
      'push/outcomes',
      'push/race-of-repeats',
      'push/repeated',
      'push/repeated-among-new',
      'push/repeated-later',
      'push/repeated-no-op',
    ],
  },
  {
    name: 'a stale base is accepted: the last writer wins',
    createFault: () =>
      pushes((message, answer, again) => {
        const { conflicts } = answer
        if (conflicts.length === 0 || message.ops.some(({ tx }) => tx !== undefined)) return answer
        const states = new Map(conflicts.map((c) => [c.clientOp.opId, c.serverState.entityVersion]))
        const ops = message.ops.map((op) => {
          const entityVersion = states.get(op.opId)
          return entityVersion === undefined ? op : { ...op, entityVersion }
        })
        return again({ ...message, ops })
      }),
    fails: [
      'push/conflict',
      'push/no-merge',
      'push/outcomes',
      'push/race',
      'push/reason',
      'push/reusable',
      'revisions/absent',
      'revisions/conflict-writes-nothing',
      'revisions/other-version',
      'revisions/stale-delete',
      'revisions/stale-put',
      'revisions/tombstone',
      'stream/quiet',
    ],
  },
  {
    name: 'the floor is forgotten: a late operation is accepted',
    createFault: () =>
      pushes(async (message, answer, again) => {
        const low = answer.conflicts.filter(
          ({ clientOp, serverState }) =>
            clientOp.tx === undefined && clientOp.entityVersion === serverState.entityVersion,
        )
        const [conflict, ...more] = low
        if (conflict === undefined || more.length > 0 || message.ops.length > 1) return answer
        const { opId } = conflict.clientOp
        const lifted = { ...conflict.clientOp, opId: opId + 1_000_000 }
        const accepted = await again({ ...message, ops: [lifted] })
        const committed = (accepted.committed ?? []).map((op) => ({ ...op, opId }))
        return { ...accepted, acknowledgedUpToOpId: opId, committed }
      }),
    fails: ['push/floor', 'push/floor-stays'],
  },
  {
    name: 'a no-op on another base is a conflict',
    createFault: () => {
      const seen = new Set<string>()
      return pushes((message, answer) => {
        const revisions = new Map((answer.committed ?? []).map((op) => [op.opId, op.entityVersion]))
        const stale = message.ops.filter((op) => {
          const key = `${op.deviceId} ${op.opId}`
          const revision = revisions.get(op.opId)
          const isNoOp = revision !== undefined && revision <= (answer.headBefore ?? 0)
          const isNew = !seen.has(key)
          seen.add(key)
          return isNew && isNoOp && op.entityVersion !== revision
        })
        const ids = new Set(stale.map(({ opId }) => opId))
        const conflicts = stale.map((op) => ({
          collection: op.collection,
          entityId: op.entityId,
          clientOp: op,
          serverState: {
            entityVersion: revisions.get(op.opId) ?? 0,
            entityCbor: op.entityCbor,
          },
          reason: 'stale' as const,
        }))
        return {
          ...answer,
          committed: (answer.committed ?? []).filter(({ opId }) => !ids.has(opId)),
          conflicts: [...answer.conflicts, ...conflicts].sort(
            (a, b) => a.clientOp.opId - b.clientOp.opId,
          ),
        }
      })
    },
    fails: [
      'group/no-ops',
      'push/floor-no-op',
      'push/repeated-no-op',
      'revisions/no-op-delete',
      'revisions/no-op-put',
    ],
  },
  {
    name: 'the same bytes of another schemaVersion are a no-op',
    createFault: () => {
      const written = new Map<string, string>()
      return pushRequests((message) => {
        const isKnown = (op: SyncOperation): boolean => {
          if (op.entityCbor === null) return false
          const entity = `${op.dbId} ${op.collection} ${op.entityId}`
          const bytes = Buffer.from(op.entityCbor).toString('hex')
          const isSame = written.get(entity) === bytes
          written.set(entity, bytes)
          return isSame
        }
        const ops = message.ops.map((op) => {
          const { schemaVersion: _, ...rest } = op
          return isKnown(op) ? rest : op
        })
        return { ...message, ops }
      })
    },
    fails: ['revisions/other-version'],
  },
  {
    name: 'operations of a group are decided one by one',
    createFault: () =>
      pushRequests((message) => ({ ...message, ops: message.ops.map(({ tx: _, ...op }) => op) })),
    fails: [
      'group/conflict',
      'group/cursors',
      'group/duplicates',
      'group/floor',
      'group/others-flow',
      'group/rejection',
      'pull/group-numbers',
      'pull/group-together',
      'pull/large-group',
      'pull/whole-groups',
      'push/conflict-schema-version',
    ],
  },
  {
    name: 'every conflict of a group says stale',
    createFault: () =>
      pushAnswers((answer) => ({
        ...answer,
        conflicts: answer.conflicts.map((conflict) => ({ ...conflict, reason: 'stale' })),
      })),
    fails: ['group/conflict', 'group/duplicates', 'group/floor', 'group/others-flow'],
  },
  {
    name: 'a conflict does not say what the server has',
    createFault: () =>
      pushAnswers((answer) => ({
        ...answer,
        conflicts: answer.conflicts.map((conflict) => ({
          ...conflict,
          serverState: { ...conflict.serverState, entityCbor: null },
        })),
      })),
    fails: ['push/no-merge', 'revisions/stale-delete', 'revisions/stale-put'],
  },
  {
    name: 'acknowledgedUpToOpId is the highest ever, not that of the request',
    createFault: () => {
      const highest = new Map<string, number>()
      return pushes(({ deviceId }, answer) => {
        const acknowledged = Math.max(highest.get(deviceId) ?? 0, answer.acknowledgedUpToOpId)
        highest.set(deviceId, acknowledged)
        return { ...answer, acknowledgedUpToOpId: acknowledged }
      })
    },
    fails: ['push/acknowledged'],
  },
  {
    name: 'a revision is used for two operations of a push',
    createFault: () =>
      pushAnswers((answer) => {
        const last = answer.committed?.at(-1)?.entityVersion ?? 0
        const committed = (answer.committed ?? []).map((op) =>
          op.entityVersion === last - 1 && op.entityVersion > (answer.headBefore ?? 0)
            ? { ...op, entityVersion: last }
            : op,
        )
        return { ...answer, committed }
      }),
    fails: [
      'group/cursors',
      'handshake/counts',
      'push/heads',
      'push/race-of-repeats',
      'push/repeated',
      'revisions/next-cursor',
      'snapshot/between',
    ],
  },
]
