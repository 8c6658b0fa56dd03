// A server for RxDB's replication protocol over plain HTTP, as its documentation builds one, on SQLite: a commit for each
// push, written but not flushed (WAL, `synchronous=NORMAL`). It refuses a state that was made on another one than it has.
// argv: directory. Prints `ready URL`.
import { EventEmitter } from 'node:events'
import { isDeepStrictEqual } from 'node:util'
import Database from 'better-sqlite3'
import compression from 'compression'
import express from 'express'

const db = new Database(`${process.argv[2]}/people.sqlite`)
db.pragma('journal_mode = WAL')
db.pragma('synchronous = NORMAL')
db.exec(`CREATE TABLE IF NOT EXISTS people (
  id TEXT PRIMARY KEY, seq INTEGER NOT NULL, document TEXT NOT NULL) WITHOUT ROWID;
  CREATE UNIQUE INDEX IF NOT EXISTS by_seq ON people (seq)`)
const selectAfter = db.prepare(
  'SELECT seq, document FROM people WHERE seq > ? ORDER BY seq LIMIT ?',
)
const selectOne = db.prepare('SELECT document FROM people WHERE id = ?').pluck()
const upsert = db.prepare('INSERT OR REPLACE INTO people (id, seq, document) VALUES (?, ?, ?)')
let seq = db.prepare('SELECT coalesce(max(seq), 0) FROM people').pluck().get()
const news = new EventEmitter()

/** The states of the server that the device did not know of. */
const accept = db.transaction((rows) => {
  const conflicts = []
  const accepted = []
  for (const { newDocumentState, assumedMasterState } of rows) {
    const stored = selectOne.get(newDocumentState.id)
    const master = stored === undefined ? undefined : JSON.parse(stored)
    if (master !== undefined && !isDeepStrictEqual(master, assumedMasterState)) {
      conflicts.push(master)
      continue
    }
    seq++
    upsert.run(newDocumentState.id, seq, JSON.stringify(newDocumentState))
    accepted.push(newDocumentState)
  }
  return { conflicts, accepted }
})

const app = express()
app.use(compression({ filter: ({ path }) => path !== '/stream' }))
app.use(express.json({ limit: '100mb' }))
app.get('/pull', ({ query }, response) => {
  const rows = selectAfter.all(Number(query.after), Number(query.limit))
  const checkpoint = { seq: rows.at(-1)?.seq ?? Number(query.after) }
  const documents = rows.map(({ document }) => document).join(',')
  response.type('json')
  response.send(`{"documents":[${documents}],"checkpoint":${JSON.stringify(checkpoint)}}`)
})
app.post('/push', ({ body }, response) => {
  const { conflicts, accepted } = accept(body)
  response.json(conflicts)
  if (accepted.length > 0) news.emit('documents', { documents: accepted, checkpoint: { seq } })
})
app.get('/stream', (request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.flushHeaders()
  const tell = (event) => response.write(`data: ${JSON.stringify(event)}\n\n`)
  news.on('documents', tell)
  request.on('close', () => news.off('documents', tell))
})
const listener = app.listen(0, '127.0.0.1', () => {
  console.log(`ready http://127.0.0.1:${listener.address().port}`)
})
process.on('SIGTERM', () => {
  db.close()
  process.exit(0)
})
