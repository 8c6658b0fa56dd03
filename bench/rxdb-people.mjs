// The people of the benchmarks in RxDB over its memory storage.
import { createRxDatabase } from 'rxdb'
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory'

const text = (maxLength) => ({ type: 'string', maxLength })
const number = { type: 'number' }

/** `createdAt`: its schema, which an index wants in more detail. */
export async function openPeople(name, { createdAt = number, indexes = [] } = {}) {
  const schema = {
    version: 0,
    primaryKey: 'id',
    type: 'object',
    properties: {
      id: text(16),
      name: text(64),
      email: text(64),
      status: text(16),
      city: text(32),
      createdAt,
      visits: number,
      score: number,
      tags: { type: 'array', items: { type: 'string' } },
    },
    required: ['id', 'name', 'email', 'status', 'city', 'createdAt', 'visits', 'score', 'tags'],
    indexes,
  }
  const db = await createRxDatabase({ name, storage: getRxStorageMemory() })
  const { people } = await db.addCollections({ people: { schema } })
  return { db, people }
}
