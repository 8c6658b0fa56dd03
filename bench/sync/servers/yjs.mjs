// The server that comes with y-websocket, its documents in LevelDB by y-leveldb, which flushes nothing; plain WebSocket.
// argv: directory, `{ gzip }`: compresses messages. Prints `ready URL`.
import { createRequire } from 'node:module'
import { WebSocketServer } from 'ws'

const [directory, settings] = process.argv.slice(2)
const { gzip = false } = JSON.parse(settings)
process.env.YPERSISTENCE = `${directory}/documents`
const utils = createRequire(import.meta.url)('y-websocket/bin/utils')

const ROOM = 'people'
// The document is there before the first device is, and stays when the last one leaves.
const persistence = utils.getPersistence()
let isBound
utils.setPersistence({
  ...persistence,
  bindState: (name, doc) => {
    isBound = persistence.bindState(name, doc)
  },
})
const stays = { readyState: 1, send: () => {}, close: () => {} }
utils.getYDoc(ROOM).conns.set(stays, new Set())
await isBound

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: gzip })
server.on('connection', (socket, request) => utils.setupWSConnection(socket, request))
server.on('listening', () => console.log(`ready ws://127.0.0.1:${server.address().port}`))
// Closes when all updates are written.
process.on('SIGTERM', () => void persistence.provider.destroy().then(() => process.exit(0)))
