/**
 * Merges open conflicts field by field and says so explicitly with `conflicts.resolve`. A field that both
 * sides changed is decided here: the higher count of people, else this device's value.
 */
import { isEntiDBError } from '@entidb/core'
import {
  type EntiDBSync,
  type FieldMerge,
  type FieldSides,
  mergeThreeWay,
  type OpenConflict,
  type Resolution,
} from '@entidb/sync'

export interface SettledConflict {
  readonly collection: string
  readonly entityId: string
  /** Empty when one side had deleted the entity: the side that still has it was kept. */
  readonly fields: readonly FieldMerge[]
}

/** `sync.conflicts`, as far as it is used here. */
export type Conflicts = Pick<EntiDBSync['conflicts'], 'list' | 'resolve'>

/** Settles the open conflicts of one device and resolves to what it did, in their order. */
export async function settleConflicts(conflicts: Conflicts): Promise<readonly SettledConflict[]> {
  const settled: SettledConflict[] = []
  for (const conflict of await conflicts.list()) {
    const { resolution, fields } = answerTo(conflict)
    try {
      await conflicts.resolve(conflict.id, resolution)
      settled.push({ collection: conflict.collection, entityId: conflict.entityId, fields })
    } catch (error) {
      // Either side moved since it was listed: the next round sees the new pair.
      if (!isEntiDBError(error, 'conflict_changed')) throw error
    }
  }
  return settled
}

interface Answer {
  readonly resolution: Resolution
  readonly fields: readonly FieldMerge[]
}

function answerTo({ base, local, remote }: OpenConflict): Answer {
  // An edit outlives a delete.
  if (local.entity === null) return { resolution: { type: 'takeRemote' }, fields: [] }
  if (remote.entity === null) return { resolution: { type: 'keepLocal' }, fields: [] }
  const { entity, fields } = mergeThreeWay(base?.entity, local.entity, remote.entity, decide)
  return { resolution: { type: 'merge', entity }, fields }
}

function decide({ local, remote }: FieldSides): unknown {
  return typeof local === 'number' && typeof remote === 'number' ? Math.max(local, remote) : local
}
