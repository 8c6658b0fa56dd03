/** Every record of a collection, and its indexes. */
import {
  type CollectionCode,
  type CollectionSpec,
  type CollectionState,
  createCollectionState,
} from './collection-state.ts'
import { EntityCache } from './entity-cache.ts'
import { idOfKey } from './entity-id.ts'
import { listOf } from './entry-keys.ts'
import { indexKeysOf } from './prepared-entity.ts'
import { IndexCheck } from './verify-index.ts'
import { readIndexedForm, readStoredEntity } from './verify-record.ts'
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
    const form = await readIndexedForm(context.view, state, key, stored)
    if (form.failure !== undefined) {
      const id = idOfKey(key)
      const { message } = form.failure
      context.problems.add({ code: 'migration_failed', collection: state.name, id, message })
    }
    if (form.isUnknown) return
    const keys = indexKeysOf(state, key, form.entity)
    for (let i = 0; i < keys.length; i++) {
      for (const indexKey of listOf(keys[i])) await checks[i]?.expect(indexKey, key)
    }
  }
  const isReadable = await scanTable(context, state.recordTable, async (entries) => {
    for (const entry of entries) await look(entry)
  })
  for (const check of checks) await check.finish(isReadable)
  return { entities, indexEntries: checks.reduce((sum, { checked }) => sum + checked, 0) }
}

/** A collection as its stored definition has it, for reading alone; its migrations, where they are known. */
export function storedCollection(
  name: string,
  spec: CollectionSpec,
  code?: CollectionCode,
): CollectionState {
  return createCollectionState({
    name,
    spec,
    code,
    isDefined: true,
    cache: new EntityCache(0).collection(),
    maxIdBytes: Number.MAX_SAFE_INTEGER,
    maxEntityBytes: Number.MAX_SAFE_INTEGER,
  })
}
