// NeDB, the maintained one, in memory. It answers with deep copies. Its compound indexes serve equality only, so
// that the newest of a status are sorted in memory.
import Datastore from '@seald-io/nedb'

export async function open() {
  const people = new Datastore()
  await people.ensureIndexAsync({ fieldName: 'status' })
  await people.ensureIndexAsync({ fieldName: 'createdAt' })
  await people.ensureIndexAsync({ fieldName: 'email', unique: true })
  await people.ensureIndexAsync({ fieldName: ['status', 'createdAt'] })
  const visitAll = (found, visit) => {
    for (const entity of found) visit(entity)
  }
  return {
    async load(entities) {
      await people.insertAsync(entities.map((entity) => ({ _id: entity.id, ...entity })))
    },
    async withStatus(status, visit) {
      visitAll(await people.findAsync({ status }), visit)
    },
    async between(ranges, visit) {
      for (const { from, to } of ranges) {
        const query = { createdAt: { $gte: from, $lte: to } }
        visitAll(await people.findAsync(query).sort({ createdAt: 1 }), visit)
      }
    },
    async withEmails(emails, visit) {
      for (const email of emails) visit(await people.findOneAsync({ email }))
    },
    async newest(pages, limit, visit) {
      for (const { status, before } of pages) {
        const query = people.findAsync({ status, createdAt: { $lt: before } })
        visitAll(await query.sort({ createdAt: -1 }).limit(limit), visit)
      }
    },
    async filter(test, visit) {
      const passes = function () {
        return test(this)
      }
      visitAll(await people.findAsync({ $where: passes }), visit)
    },
    async close() {},
  }
}
