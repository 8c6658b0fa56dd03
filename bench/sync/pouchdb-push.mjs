// Pushes what was written offline from PouchDB on LevelDB to a database that the server has never heard of.
// argv: directory, (unused), url of another database of the server.
import PouchDB from 'pouchdb'
import { cityEntities } from '../cities.mjs'
import { report } from '../report.mjs'

const [directory, , url] = process.argv.slice(2)
const db = new PouchDB(`${directory}/cities`)
const documents = cityEntities(20_000).map(({ id, ...rest }) => ({ _id: id, ...rest }))
for (let from = 0; from < documents.length; from += 100) {
  await db.bulkDocs(documents.slice(from, from + 100))
}
const target = new URL(`push-${process.pid}`, url)
const started = performance.now()
const { docs_written } = await db.replicate.to(target.href, { batch_size: 1000, batches_limit: 10 })
const ms = performance.now() - started
report({ ms, entities: docs_written })
await db.close()
