// LevelDB: JSON values, index keys by hand, one chained batch a transaction, flushed (`sync: true`);
// reads by the synchronous `getSync`, runs of them by `getMany`.
import { ClassicLevel } from 'classic-level'
import { runCommitters } from '../contract.mjs'

const SYNC = { sync: true }
const entityKey = (id) => `e!${id}`
const statusKey = ({ status, id }) => `s!${status}!${id}`
/** Thirteen digits until the year 2286: as text in the order of the numbers. */
const createdAtKey = ({ createdAt, id }) => `c!${createdAt}!${id}`
const ID_LENGTH = 16

export async function open(directory, { cacheBytes }) {
  const db = new ClassicLevel(`${directory}/people`, {
    keyEncoding: 'utf8',
    valueEncoding: 'utf8',
    cacheSize: cacheBytes,
  })
  await db.open()
  const get = (id) => JSON.parse(db.getSync(entityKey(id)))

  function addPut(batch, entity) {
    batch.put(entityKey(entity.id), JSON.stringify(entity))
    batch.put(statusKey(entity), '')
    batch.put(createdAtKey(entity), '')
  }
  function addReplace(batch, before, after) {
    batch.put(entityKey(after.id), JSON.stringify(after))
    for (const keyOf of [statusKey, createdAtKey]) {
      if (keyOf(before) === keyOf(after)) continue
      batch.del(keyOf(before))
      batch.put(keyOf(after), '')
    }
  }
  function put(entity) {
    const batch = db.batch()
    addPut(batch, entity)
    return batch.write(SYNC)
  }
  async function eachBatch(iterator, visit) {
    for (;;) {
      const batch = await iterator.nextv(1000)
      if (batch.length === 0) break
      visit(batch)
    }
    await iterator.close()
  }
  async function count(start) {
    let found = 0
    await eachBatch(db.keys(startingWith(start)), (keys) => {
      found += keys.length
    })
    return found
  }
  return {
    async load(entities) {
      const batch = db.batch()
      for (const entity of entities) addPut(batch, entity)
      await batch.write(SYNC)
    },
    async putEach(entities) {
      for (const entity of entities) await put(entity)
    },
    putConcurrently: (entities, committers) => runCommitters(entities, committers, put),
    async getAll(ids, visit) {
      for (const id of ids) visit(get(id))
    },
    async range(from, limit, visit) {
      const keys = await db.keys({ ...startingWith('c!'), gte: `c!${from}`, limit }).all()
      const found = await db.getMany(keys.map((key) => entityKey(key.slice(-ID_LENGTH))))
      for (const value of found) visit(JSON.parse(value))
    },
    async scan(visit) {
      const values = db.values({ ...startingWith('e!'), highWaterMarkBytes: 256 * 1024 })
      await eachBatch(values, (batch) => {
        for (const value of batch) visit(JSON.parse(value))
      })
    },
    async update(ids, change) {
      const batch = db.batch()
      for (const id of ids) {
        const before = get(id)
        addReplace(batch, before, change(before))
      }
      await batch.write(SYNC)
    },
    count: () => count('e!'),
    countByStatus: (status) => count(`s!${status}!`),
    close: () => db.close(),
  }
}

/** `"` is the character after `!`. */
function startingWith(prefix) {
  return { gte: prefix, lt: `${prefix.slice(0, -1)}"` }
}
