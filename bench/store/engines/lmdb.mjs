// LMDB by lmdb-js: MessagePack values (its default), indexes as databases with sorted duplicates, as its
// README recommends. A commit one at a time is `transactionSync`, which returns when it is flushed; concurrent
// ones are puts of one turn, which it commits and flushes together.
import { open as openLmdb } from 'lmdb'
import { runCommitters } from '../contract.mjs'

export async function open(directory, { sharedStructures = false, cache = false }) {
  const root = openLmdb({ path: `${directory}/people.mdb` })
  const people = root.openDB({
    name: 'people',
    cache,
    ...(sharedStructures ? { sharedStructuresKey: Symbol.for('structures') } : {}),
  })
  const index = { dupSort: true, encoding: 'ordered-binary' }
  const byStatus = root.openDB({ name: 'byStatus', ...index })
  const byCreatedAt = root.openDB({ name: 'byCreatedAt', ...index })

  /** Inside a transaction, or else one transaction with all that is put in this turn. */
  function put(entity) {
    people.put(entity.id, entity)
    byStatus.put(entity.status, entity.id)
    return byCreatedAt.put(entity.createdAt, entity.id)
  }
  function replace(before, after) {
    people.put(after.id, after)
    if (before.status !== after.status) {
      byStatus.remove(before.status, before.id)
      byStatus.put(after.status, after.id)
    }
    if (before.createdAt !== after.createdAt) {
      byCreatedAt.remove(before.createdAt, before.id)
      byCreatedAt.put(after.createdAt, after.id)
    }
  }
  return {
    async load(entities) {
      root.transactionSync(() => {
        for (const entity of entities) put(entity)
      })
    },
    async putEach(entities) {
      for (const entity of entities) {
        // Braces: a callback that returns a promise would keep its transaction open.
        root.transactionSync(() => {
          put(entity)
        })
      }
    },
    putConcurrently: (entities, committers) =>
      runCommitters(entities, committers, async (entity) => {
        await put(entity)
        await root.flushed
      }),
    async getAll(ids, visit) {
      for (const id of ids) visit(people.get(id))
    },
    async range(from, limit, visit) {
      for (const { value: id } of byCreatedAt.getRange({ start: from, limit }).asArray) {
        visit(people.get(id))
      }
    },
    async scan(visit) {
      people.getRange({}).forEach(({ value }) => {
        visit(value)
      })
    },
    async update(ids, change) {
      root.transactionSync(() => {
        for (const id of ids) {
          const before = people.get(id)
          replace(before, change(before))
        }
      })
    },
    count: async () => people.getKeysCount(),
    countByStatus: async (status) => byStatus.getValuesCount(status),
    close: () => root.close(),
  }
}
