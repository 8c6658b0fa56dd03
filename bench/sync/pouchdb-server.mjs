// PouchDB's own server (express-pouchdb on LevelDB, plain HTTP) that already holds the cities.
// argv[2]: directory. Prints `ready URL`.
import { mkdirSync } from 'node:fs'
import express from 'express'
import expressPouchDb from 'express-pouchdb'
import PouchDB from 'pouchdb'
import { cityEntities } from '../cities.mjs'

const directory = `${process.argv[2]}/`
mkdirSync(directory, { recursive: true })
process.chdir(directory)
const ServerPouchDb = PouchDB.defaults({ prefix: directory })
const db = new ServerPouchDb('cities')
const documents = cityEntities().map(({ id, ...rest }) => ({ _id: id, ...rest }))
for (let from = 0; from < documents.length; from += 1000) {
  await db.bulkDocs(documents.slice(from, from + 1000))
}
const app = express()
app.use('/', expressPouchDb(ServerPouchDb, { mode: 'minimumForPouchDB', inMemoryConfig: true }))
const listener = app.listen(0, '127.0.0.1', () => {
  console.log(`ready http://127.0.0.1:${listener.address().port}/cities`)
})
process.on('SIGTERM', () => process.exit(0))
