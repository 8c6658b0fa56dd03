/** Every record of a collection, and its indexes. */
import {
  type CollectionSpec,
  type CollectionState,
  createCollectionState,
} from './collection-state.ts'
import { EntityCache } from './entity-cache.ts'
import { idOfKey } from './entity-id.ts'
import { indexKeysOf } from './prepared-entity.ts'
import { IndexCheck } from './verify-index.ts'
import { readStoredEntity } from './verify-record.ts'
import { type StoredEntry, scanTable, type VerifyContext } from './verify-scan.ts'

export interface CheckedCollection {
  readonly entities: number
  readonly indexEntries: number
}

export async function verifyCollection(
  context: VerifyContext,
  state: CollectionState,
): Promise<CheckedCollection> {
  const checks = state.indexes.map((plan) => new IndexCheck(context, state, plan))
  let entities = 0
  const look = async ({ key, value }: StoredEntry): Promise<void> => {
    const stored = readStoredEntity(key, value)
    if (typeof stored === 'string') {
      const id = idOfKey(key)
      const message = `the entity ${id} ${stored}`
      context.problems.add({ code: 'invalid_record', collection: state.name, id, message })
      return
    }
    entities++
    const keys = indexKeysOf(state, key, stored.entity)
    for (let i = 0; i < keys.length; i++) {
      const indexKey = keys[i]
      if (indexKey !== undefined) await checks[i]?.expect(indexKey, key)
    }
  }
  const isReadable = await scanTable(context, state.recordTable, async (entries) => {
    for (const entry of entries) await look(entry)
  })
  for (const check of checks) await check.finish(isReadable)
  return { entities, indexEntries: checks.reduce((sum, { checked }) => sum + checked, 0) }
}

/** A collection as its stored definition has it, for reading alone. */
export function storedCollection(name: string, spec: CollectionSpec): CollectionState {
  return createCollectionState({
    name,
    spec,
    schema: undefined,
    isDefined: true,
    cache: new EntityCache(0).collection(),
    maxIdBytes: Number.MAX_SAFE_INTEGER,
  })
}
