// Pushes what was written offline, in transactions of 100, from a durable EntiDB with two indexes to a
// database that the server has never heard of. argv: directory, server's directory, url.
import { readFileSync } from 'node:fs'
import { defineCollection, EntiDB } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { EntiDBSync } from '@entidb/sync'
import { Agent, fetch } from 'undici'
import { cityEntities } from '../cities.mjs'
import { report } from '../report.mjs'

const [directory, serverDirectory, url] = process.argv.slice(2)
const db = await EntiDB.open({
  storage: fileStorage(directory),
  collections: {
    cities: defineCollection({
      indexes: { byCountry: ['country', 'population'], byName: ['name'] },
    }),
  },
  changeFeed: true,
})
const entities = cityEntities(20_000)
for (let from = 0; from < entities.length; from += 100) {
  await db.collection('cities').putMany(entities.slice(from, from + 100))
}
const dispatcher = new Agent({
  connect: { ca: readFileSync(`${serverDirectory}/cert.pem`, 'utf8') },
})
const sync = new EntiDBSync({
  db,
  config: {
    serverUrl: new URL(url),
    dbId: `push-${process.pid}`,
    authTokenProvider: async () => 'bench',
    fetch: (input, init) => fetch(input, { ...init, dispatcher }),
  },
})
const started = performance.now()
const { pushed } = await sync.sync()
const ms = performance.now() - started
report({ ms, entities: pushed })
await sync.stop()
await db.close()
await dispatcher.close()
