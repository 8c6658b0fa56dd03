// EntiDB, in a directory with strict durability (the default) or in memory. Reads may come from its cache of
// decoded entities, as they do for every user; `entityCacheBytes: 0` switches that off.
import { defineCollection, EntiDB, memoryStorage } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'

const people = defineCollection({
  indexes: {
    status: ['status'],
    createdAt: ['createdAt'],
    email: { on: ['email'], unique: true },
    recent: ['status', { createdAt: 'desc' }],
  },
})

/** By id, by another unique field, the newest of a group, and a stretch of time: what applications watch. */
const LIVE_KINDS = [
  ({ id }) => ({ where: { id } }),
  ({ email }) => ({ where: { email } }),
  ({ status, createdAt }) => ({
    where: { status, createdAt: { between: [createdAt, createdAt] } },
    orderBy: { createdAt: 'desc' },
    limit: 20,
  }),
  ({ createdAt }) => ({
    where: { createdAt: { between: [createdAt, createdAt] } },
    orderBy: { createdAt: 'asc' },
  }),
]

function failOnChange() {
  throw new Error('a live query was told of a commit that does not concern it')
}

export async function open(directory, { cacheBytes, entityCacheBytes, inMemory = false }) {
  const db = await EntiDB.open({
    storage: inMemory ? memoryStorage() : fileStorage(directory, { cacheBytes }),
    collections: { people },
    ...(entityCacheBytes === undefined ? {} : { limits: { maxCacheBytes: entityCacheBytes } }),
  })
  const collection = db.collection('people')
  const visitAll = async (query, visit) => {
    for (const entity of await collection.find(query)) visit(entity)
  }
  return {
    async load(entities) {
      await collection.putMany(entities)
    },
    withStatus: (status, visit) => visitAll({ where: { status } }, visit),
    async between(ranges, visit) {
      for (const { from, to } of ranges) {
        const where = { createdAt: { between: [from, to] } }
        await visitAll({ where, orderBy: { createdAt: 'asc' } }, visit)
      }
    },
    async withEmails(emails, visit) {
      for (const email of emails) visit(await collection.first({ where: { email } }))
    },
    async newest(pages, limit, visit) {
      for (const { status, before } of pages) {
        const where = { status, createdAt: { lt: before } }
        await visitAll({ where, orderBy: { createdAt: 'desc' }, limit }, visit)
      }
    },
    async filter(test, visit) {
      await visitAll({ filter: test }, visit)
    },
    async put(entity) {
      await collection.put(entity)
    },
    async liveBetween({ from, to }, listener) {
      const where = { createdAt: { between: [from, to] } }
      const live = collection.live({ where, orderBy: { createdAt: 'asc' } })
      await live.ready
      live.subscribe(({ items, changes }) => {
        const [{ entity, index }] = changes.changed
        listener(items[index] === entity ? entity : undefined)
      })
      return () => live.close()
    },
    async liveOfEach(entities) {
      const opened = entities.map((entity, k) =>
        collection.live(LIVE_KINDS[k % LIVE_KINDS.length](entity)),
      )
      for (const live of opened) {
        await live.ready
        live.subscribe(failOnChange)
      }
      return () => {
        for (const live of opened) live.close()
      }
    },
    close: () => db.close(),
  }
}
