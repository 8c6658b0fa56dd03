// TinyBase's WsServer, its store in a JSON file that it writes by itself after changes, whole and not flushed; plain
// WebSocket. argv: directory, `{ gzip }`: compresses messages. Prints `ready URL`; `/content-hashes` says what it holds.
import { createServer } from 'node:http'
import { createMergeableStore } from 'tinybase'
import { createFilePersister } from 'tinybase/persisters/persister-file'
import { createWsServer } from 'tinybase/synchronizers/synchronizer-ws-server'
import { WebSocketServer } from 'ws'

const REQUEST_SECONDS_MOST = 600
const [directory, settings] = process.argv.slice(2)
const { gzip = false } = JSON.parse(settings)
const fail = (error) => {
  if (error) throw error
}

const store = createMergeableStore()
const persister = createFilePersister(store, `${directory}/people.json`, fail)
await persister.load()
const http = createServer((_request, response) => {
  response.end(JSON.stringify(store.getMergeableContentHashes()))
})
const sockets = new WebSocketServer({ server: http, perMessageDeflate: gzip })
const sync = createWsServer(sockets, () => persister, fail, REQUEST_SECONDS_MOST)
http.listen(0, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${http.address().port}`))
process.on('SIGTERM', async () => {
  await persister.save()
  await sync.destroy()
  process.exit(0)
})
