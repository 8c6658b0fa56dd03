// LokiJS: in memory, and it hands out the very objects that it stores: nothing is decoded, copied or protected.
import Loki from 'lokijs'

export async function open() {
  const people = new Loki('bench.db').addCollection('people', {
    unique: ['id', 'email'],
    indices: ['status', 'createdAt'],
  })
  const visitAll = (found, visit) => {
    for (const entity of found) visit(entity)
  }
  return {
    async load(entities) {
      people.insert(entities)
    },
    async withStatus(status, visit) {
      visitAll(people.find({ status }), visit)
    },
    async between(ranges, visit) {
      for (const { from, to } of ranges) {
        const found = people.chain().find({ createdAt: { $between: [from, to] } })
        visitAll(found.simplesort('createdAt').data(), visit)
      }
    },
    async withEmails(emails, visit) {
      for (const email of emails) visit(people.by('email', email))
    },
    async newest(pages, limit, visit) {
      for (const { status, before } of pages) {
        const found = people
          .chain()
          .find({ status })
          .find({ createdAt: { $lt: before } })
        visitAll(found.simplesort('createdAt', { desc: true }).limit(limit).data(), visit)
      }
    },
    async filter(test, visit) {
      visitAll(people.where(test), visit)
    },
    async close() {},
  }
}
