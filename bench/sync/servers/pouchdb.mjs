// PouchDB's own server: express-pouchdb on LevelDB, plain HTTP. argv: directory. Prints `ready URL`.
import express from 'express'
import expressPouchDb from 'express-pouchdb'
import PouchDB from 'pouchdb'

const directory = `${process.argv[2]}/`
process.chdir(directory)
const ServerPouchDb = PouchDB.defaults({ prefix: directory })
const people = new ServerPouchDb('people')
await people.info()
const app = express()
app.use('/', expressPouchDb(ServerPouchDb, { mode: 'minimumForPouchDB', inMemoryConfig: true }))
const listener = app.listen(0, '127.0.0.1', () => {
  console.log(`ready http://127.0.0.1:${listener.address().port}`)
})
process.on('SIGTERM', () => void people.close().then(() => process.exit(0)))
