// RxDB over its memory storage. It answers with its documents, whose fields are read by getters. It has no unique
// indexes: emails are in an ordinary one.
import { openPeople } from '../../rxdb-people.mjs'

const MILLISECONDS_MOST = 10_000_000_000_000

const INDEXED = {
  createdAt: { type: 'number', minimum: 0, maximum: MILLISECONDS_MOST, multipleOf: 1 },
  indexes: ['status', 'createdAt', 'email', ['status', 'createdAt']],
}

export async function open() {
  const { db, people } = await openPeople('bench', INDEXED)
  const visitAll = async (query, visit) => {
    for (const entity of await people.find(query).exec()) visit(entity)
  }
  const queryBetween = ({ from, to }) => ({
    selector: { createdAt: { $gte: from, $lte: to } },
    sort: [{ createdAt: 'asc' }],
  })
  return {
    async load(entities) {
      const { error } = await people.bulkInsert(entities)
      if (error.length > 0) throw new Error(`RxDB refused ${error.length} entities`)
    },
    withStatus: (status, visit) => visitAll({ selector: { status } }, visit),
    async between(ranges, visit) {
      for (const range of ranges) await visitAll(queryBetween(range), visit)
    },
    async withEmails(emails, visit) {
      for (const email of emails) visit(await people.findOne({ selector: { email } }).exec())
    },
    async newest(pages, limit, visit) {
      for (const { status, before } of pages) {
        const selector = { status, createdAt: { $lt: before } }
        await visitAll({ selector, sort: [{ createdAt: 'desc' }], limit }, visit)
      }
    },
    async filter(test, visit) {
      for (const entity of await people.find().exec()) if (test(entity)) visit(entity)
    },
    async put(entity) {
      await people.upsert(entity)
    },
    /** It tells the whole result, from which the one that changed is found by comparing. */
    liveBetween: (range, listener) =>
      new Promise((resolve) => {
        let before
        const subscription = people.find(queryBetween(range)).$.subscribe((documents) => {
          const changed = before?.findIndex((document, k) => document !== documents[k]) ?? -1
          if (before === undefined) resolve(() => subscription.unsubscribe())
          before = documents
          if (changed !== -1) listener(documents[changed])
        })
      }),
    close: () => db.close(),
  }
}
