// An EntiDB sync server over TLS that already holds the cities. argv[2]: directory. Prints `ready URL`.
import { readFileSync, writeFileSync } from 'node:fs'
import { defineCollection, EntiDB } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { createSyncServer, staticTokens } from '@entidb/server'
import { EntiDBSync } from '@entidb/sync'
import { generate } from 'selfsigned'
import { Agent, fetch } from 'undici'
import { cityEntities } from '../cities.mjs'

const directory = process.argv[2]
const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
  keyType: 'ec',
  extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
})
writeFileSync(`${directory}/cert.pem`, cert)
const server = await createSyncServer({
  dataDir: `${directory}/server`,
  tls: { cert, key },
  auth: staticTokens({ bench: { subject: 'bench', databases: '*', access: 'write' } }),
  createDatabases: true,
})
await server.listen({ host: '127.0.0.1', port: 0 })

const db = await EntiDB.open({
  storage: fileStorage(`${directory}/loader`),
  collections: { cities: defineCollection({}) },
  changeFeed: true,
})
const entities = cityEntities()
for (let from = 0; from < entities.length; from += 2000) {
  await db.collection('cities').putMany(entities.slice(from, from + 2000))
}
const dispatcher = new Agent({ connect: { ca: readFileSync(`${directory}/cert.pem`, 'utf8') } })
const sync = new EntiDBSync({
  db,
  config: {
    serverUrl: new URL(server.url),
    dbId: 'cities',
    authTokenProvider: async () => 'bench',
    fetch: (url, init) => fetch(url, { ...init, dispatcher }),
  },
})
await sync.sync()
await sync.stop()
await db.close()
await dispatcher.close()
console.log(`ready ${server.url}`)
process.on('SIGTERM', () => void server.close().then(() => process.exit(0)))
