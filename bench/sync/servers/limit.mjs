// Not a sync server: over the same TLS it sends the bytes that a first sync of ours is answered, which are taken down
// before it is ready. argv: directory, `{ entities }`. Prints `ready URL`.
import { writeFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import { defineCollection, EntiDB, memoryStorage } from '@entidb/core'
import { createSyncHandler, staticTokens } from '@entidb/server'
import { EntiDBSync } from '@entidb/sync'
import { fill } from '../../harness/fill.mjs'
import { createCertificate } from '../certificate.mjs'

const TRANSACTION_ENTITIES = 1000
const [directory, settings] = process.argv.slice(2)
const answers = await answersOfFirstSync(JSON.parse(settings).entities)
const tls = await createCertificate()
writeFileSync(`${directory}/cert.pem`, tls.cert)
const server = createSecureServer({ ...tls, allowHTTP1: true }, (request, response) => {
  const answer = answers[Number(request.url.slice(1))]
  response.writeHead(answer === undefined ? 404 : 200)
  response.end(answer)
})
server.listen(0, '127.0.0.1', () => {
  console.log(`ready https://127.0.0.1:${server.address().port}`)
})
process.on('SIGTERM', () => process.exit(0))

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
