// TinyBase's WsServer, its store in a JSON file that it writes by itself after changes, whole and not flushed; plain
// WebSocket. argv: directory, `{ gzip }`: compresses messages. Prints `ready URL`; `/content-hashes` says what it holds.
import { createServer } from 'node:http'
import { createMergeableStore } from 'tinybase'
import { createFilePersister } from 'tinybase/persisters/persister-file'
import { createWsServer } from 'tinybase/synchronizers/synchronizer-ws-server'
import { WebSocket, WebSocketServer } from 'ws'

const REQUEST_SECONDS_MOST = 600
const [directory, settings] = process.argv.slice(2)
const { gzip = false } = JSON.parse(settings)
const fail = (error) => {
  // The file is there from the first save on.
  if (error && error.code !== 'ENOENT') throw error
}

const store = createMergeableStore()
const persister = createFilePersister(store, `${directory}/people.json`, fail)
const http = createServer((_request, response) => {
  response.end(JSON.stringify(store.getMergeableContentHashes()))
})
const sockets = new WebSocketServer({ server: http, perMessageDeflate: gzip })
await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve))
const { port } = http.address()
// The store is loaded before the first device comes, and stays when the last one leaves: with a client that says nothing.
const sync = await new Promise((resolve) => {
  const server = createWsServer(
    ...[sockets, () => [persister, () => resolve(server)], fail, REQUEST_SECONDS_MOST],
  )
  new WebSocket(`ws://127.0.0.1:${port}/people`)
})
console.log(`ready http://127.0.0.1:${port}`)
process.on('SIGTERM', async () => {
  await persister.save()
  await sync.destroy()
  process.exit(0)
})
