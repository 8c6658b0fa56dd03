// EntiDB in a directory, strict durability (the default). Reads may come from its cache of decoded
// entities, as they do for every user; `entityCacheBytes: 0` switches that off.
import { defineCollection, EntiDB } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { runCommitters } from '../contract.mjs'

export async function open(directory, { cacheBytes, entityCacheBytes }) {
  const db = await EntiDB.open({
    storage: fileStorage(directory, { cacheBytes }),
    collections: {
      people: defineCollection({ indexes: { status: ['status'], createdAt: ['createdAt'] } }),
    },
    ...(entityCacheBytes === undefined ? {} : { limits: { maxCacheBytes: entityCacheBytes } }),
  })
  const people = db.collection('people')
  return {
    async load(entities) {
      await people.putMany(entities)
    },
    async putEach(entities) {
      for (const entity of entities) await people.put(entity)
    },
    putConcurrently: (entities, committers) =>
      runCommitters(entities, committers, (entity) => people.put(entity)),
    async getAll(ids, visit) {
      for (const id of ids) visit(await people.get(id))
    },
    async range(from, limit, visit) {
      const found = await people.find({
        where: { createdAt: { gte: from } },
        orderBy: { createdAt: 'asc' },
        limit,
      })
      for (const entity of found) visit(entity)
    },
    async scan(visit) {
      for await (const entity of people.scan()) visit(entity)
    },
    async update(ids, change) {
      await db.transaction(async (tx) => {
        const inside = tx.collection('people')
        const found = await inside.getMany(ids)
        await inside.putMany(found.map(change))
      })
    },
    count: () => people.count(),
    countByStatus: (status) => people.count({ where: { status } }),
    close: () => db.close(),
  }
}
