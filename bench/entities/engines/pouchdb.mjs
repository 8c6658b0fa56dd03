// PouchDB over its LevelDB, with indexes of pouchdb-find. Filters look at all documents.
import PouchDb from 'pouchdb'
import pouchDbFind from 'pouchdb-find'

PouchDb.plugin(pouchDbFind)

const INDEXES = {
  status: ['status'],
  createdAt: ['createdAt'],
  email: ['email'],
  recent: ['status', 'createdAt'],
}
const LOAD_BATCH = 10_000
/** Without a limit it answers 25. */
const NO_LIMIT = 1_000_000_000

/** An `_id` must not begin with an underscore. */
function documentOf(entity) {
  return { _id: `id-${entity.id}`, ...entity }
}

export async function open(directory) {
  const people = new PouchDb(`${directory}/people`)
  const find = async (index, query) => {
    const { docs } = await people.find({ limit: NO_LIMIT, ...query, use_index: [index, index] })
    return docs
  }
  const visitAll = (found, visit) => {
    for (const entity of found) visit(entity)
  }
  return {
    async load(entities) {
      for (let from = 0; from < entities.length; from += LOAD_BATCH) {
        const batch = entities.slice(from, from + LOAD_BATCH)
        await people.bulkDocs(batch.map(documentOf))
      }
      for (const [name, fields] of Object.entries(INDEXES)) {
        await people.createIndex({ index: { fields, name, ddoc: name } })
        // An index is built when it is first read.
        await find(name, { selector: { [fields[0]]: { $lt: '' } }, limit: 1 })
      }
    },
    async withStatus(status, visit) {
      visitAll(await find('status', { selector: { status } }), visit)
    },
    async between(ranges, visit) {
      for (const { from, to } of ranges) {
        const selector = { createdAt: { $gte: from, $lte: to } }
        visitAll(await find('createdAt', { selector, sort: ['createdAt'] }), visit)
      }
    },
    async withEmails(emails, visit) {
      for (const email of emails) visitAll(await find('email', { selector: { email } }), visit)
    },
    async newest(pages, limit, visit) {
      for (const { status, before } of pages) {
        // Its `$lt` answers one too few: it counts the entity at the bound for the limit.
        const selector = { status, createdAt: { $lte: before - 1 } }
        const sort = [{ status: 'desc' }, { createdAt: 'desc' }]
        visitAll(await find('recent', { selector, sort, limit }), visit)
      }
    },
    async filter(test, visit) {
      const { rows } = await people.allDocs({ include_docs: true })
      for (const { doc } of rows) {
        if (!doc._id.startsWith('_design/') && test(doc)) visit(doc)
      }
    },
    close: () => people.close(),
  }
}
