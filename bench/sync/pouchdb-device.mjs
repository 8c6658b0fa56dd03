// First sync of all cities into a fresh PouchDB on LevelDB. argv: directory, (unused), url.
import PouchDB from 'pouchdb'
import { report } from '../report.mjs'

const [directory, , url] = process.argv.slice(2)
const db = new PouchDB(`${directory}/cities`)
const started = performance.now()
await db.replicate.from(url, { batch_size: 1000, batches_limit: 10 })
const ms = performance.now() - started
report({ ms, entities: (await db.info()).doc_count })
await db.close()
