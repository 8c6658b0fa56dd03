// TinyBase's WsServer, its store in a JSON file that it writes by itself after changes, whole and not flushed; plain
// WebSocket. argv: directory, `{ gzip }`: compresses messages. Prints `ready URL`; `/content-hashes` says what it holds.
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { createMergeableStore } from 'tinybase'
import { createFilePersister } from 'tinybase/persisters/persister-file'
import { createWsServer } from 'tinybase/synchronizers/synchronizer-ws-server'
import { WebSocket, WebSocketServer } from 'ws'

const [directory, settings] = process.argv.slice(2)
const { gzip = false } = JSON.parse(settings)
let isStarted = false
/** While it starts, its one question to the clients stays without an answer for as long as it waits. */
const requestSecondsMost = { valueOf: () => (isStarted ? 600 : 0.01) }
const fail = (error) => {
  if (error && isStarted) throw error
}

const store = createMergeableStore()
const file = `${directory}/people.json`
const persister = createFilePersister(store, file, fail)
if (!existsSync(file)) await persister.save()
const http = createServer((_request, response) => {
  response.end(JSON.stringify(store.getMergeableContentHashes()))
})
// However long a request keeps the process busy, the connections of others stay.
http.keepAliveTimeout = 600_000
const sockets = new WebSocketServer({ server: http, perMessageDeflate: gzip })
await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve))
const { port } = http.address()
// The store is loaded before the first device comes, and stays when the last one leaves: for a client that says nothing.
const sync = await new Promise((resolve) => {
  const server = createWsServer(
    ...[sockets, () => [persister, () => resolve(server)], fail, requestSecondsMost],
  )
  new WebSocket(`ws://127.0.0.1:${port}/people`)
})
isStarted = true
console.log(`ready http://127.0.0.1:${port}`)
process.on('SIGTERM', async () => {
  await persister.save()
  await sync.destroy()
  process.exit(0)
})
