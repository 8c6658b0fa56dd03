// Not a sync server. Over the same TLS it sends the bytes that a first sync of ours is answered, which are taken down
// before it is ready; of live edits it flushes what is pushed, wakes who follows, and hands out the last one.
// argv: directory, `{ entities }` of the first sync. Prints `ready URL`.
import { writeFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import { defineCollection, EntiDB, memoryStorage } from '@entidb/core'
import { createSyncHandler, staticTokens } from '@entidb/server'
import { EntiDBSync } from '@entidb/sync'
import { fill } from '../../harness/fill.mjs'
import { createCertificate } from '../certificate.mjs'
import { FlushedFile } from '../flushed-file.mjs'

const TRANSACTION_ENTITIES = 1000
/** About as many as an answer to a push of one operation has. */
const ANSWER_BYTES = 150
const [directory, settings] = process.argv.slice(2)
const { entities = 0 } = JSON.parse(settings)
const answers = entities === 0 ? [] : await answersOfFirstSync(entities)
const tls = await createCertificate()
writeFileSync(`${directory}/cert.pem`, tls.cert)
const log = new FlushedFile(`${directory}/limit-log`)
const streams = new Set()
let last
let pushes = 0
const server = createSecureServer({ ...tls, allowHTTP1: true }, (request, response) => {
  const name = request.url.slice(1)
  if (name === 'push') return void answerPush(request, response)
  if (name === 'stream') return answerStream(response)
  answerWith(name === 'last' ? last : answers[Number(name)], response)
})
server.listen(0, '127.0.0.1', () => {
  console.log(`ready https://127.0.0.1:${server.address().port}`)
})
process.on('SIGTERM', () => process.exit(0))

function answerWith(answer, response) {
  response.writeHead(answer === undefined ? 404 : 200)
  response.end(answer)
}

async function answerPush(request, response) {
  last = Buffer.concat(await request.toArray())
  log.write(last)
  pushes++
  for (const stream of streams) stream.write(`event: cursor\ndata: ${pushes}\n\n`)
  const answer = Buffer.alloc(ANSWER_BYTES)
  answer.writeUInt32BE(pushes)
  answerWith(answer, response)
}

function answerStream(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(': open\n\n')
  streams.add(response)
  response.once('close', () => streams.delete(response))
}

/** All in this process and in memory. */
async function answersOfFirstSync(entities) {
  const handler = createSyncHandler({
    storage: memoryStorage,
    auth: staticTokens({ bench: { subject: 'bench', databases: '*', access: 'write' } }),
    createDatabases: true,
  })
  const bodies = []
  const loader = await openDevice((url, init) => handler.fetch(new Request(url, init)))
  await fill(loader, entities, TRANSACTION_ENTITIES)
  await loader.end()
  const device = await openDevice(async (url, init) => {
    const response = await handler.fetch(new Request(url, init))
    const body = Buffer.from(await response.arrayBuffer())
    bodies.push(body)
    return new Response(body, response)
  })
  await device.end()
  await handler.close()
  return bodies
}

async function openDevice(fetch) {
  const db = await EntiDB.open({
    storage: memoryStorage(),
    collections: { people: defineCollection({}) },
    changeFeed: true,
  })
  const sync = new EntiDBSync({
    db,
    config: {
      serverUrl: 'https://127.0.0.1',
      dbId: 'people',
      authTokenProvider: async () => 'bench',
      fetch,
    },
  })
  return {
    load: (batch) => db.collection('people').putMany(batch),
    async end() {
      await sync.sync()
      await sync.stop()
      await db.close()
    },
  }
}
