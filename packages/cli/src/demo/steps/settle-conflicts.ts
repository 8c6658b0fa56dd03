/**
 * Merges open conflicts field by field and says so explicitly with `conflicts.resolve`. A field that both
 * sides changed is decided here: the higher count of people, else this device's value.
 */
import { isEntiDBError } from '@entidb/core'
import type { EntiDBSync, OpenConflict, Resolution } from '@entidb/sync'
import { type FieldMerge, type Fields, mergedEntity, mergeFields } from '../merge-fields.ts'

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

function answerTo({ entityId, base, local, remote }: OpenConflict): Answer {
  const localFields = fieldsOf(local.entity)
  const remoteFields = fieldsOf(remote.entity)
  // An edit outlives a delete.
  if (localFields === undefined) return { resolution: { type: 'takeRemote' }, fields: [] }
  if (remoteFields === undefined) return { resolution: { type: 'keepLocal' }, fields: [] }
  const fields = mergeFields(fieldsOf(base?.entity), localFields, remoteFields, decide)
  return { resolution: { type: 'merge', entity: mergedEntity(entityId, fields) }, fields }
}

function decide(_field: string, local: unknown, remote: unknown): unknown {
  return typeof local === 'number' && typeof remote === 'number' ? Math.max(local, remote) : local
}

function fieldsOf(entity: unknown): Fields | undefined {
  // Entities are plain objects with text keys.
  return typeof entity === 'object' && entity !== null ? (entity as Fields) : undefined
}
