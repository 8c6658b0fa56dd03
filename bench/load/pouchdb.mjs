// Bulk load of the cities into PouchDB (LevelDB): bulkDocs in batches of 1,000, without indexes and
// without a flush: less than the others do. argv[2]: directory.
import PouchDB from 'pouchdb'
import { cityEntities } from '../cities.mjs'
import { report } from '../report.mjs'

const entities = cityEntities()
const db = new PouchDB(`${process.argv[2]}/cities`)
const documents = entities.map(({ id, ...rest }) => ({ _id: id, ...rest }))
const started = performance.now()
for (let from = 0; from < documents.length; from += 1000) {
  await db.bulkDocs(documents.slice(from, from + 1000))
}
report({ ms: performance.now() - started, entities: entities.length })
await db.close()
