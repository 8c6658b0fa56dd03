// First sync of all cities into a fresh durable EntiDB with two indexes. argv: directory, server's
// directory, url.
import { readFileSync } from 'node:fs'
import { defineCollection, EntiDB } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { EntiDBSync } from '@entidb/sync'
import { Agent, fetch } from 'undici'
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
const dispatcher = new Agent({
  connect: { ca: readFileSync(`${serverDirectory}/cert.pem`, 'utf8') },
})
const sync = new EntiDBSync({
  db,
  config: {
    serverUrl: new URL(url),
    dbId: 'cities',
    authTokenProvider: async () => 'bench',
    fetch: (input, init) => fetch(input, { ...init, dispatcher }),
  },
})
const started = performance.now()
await sync.sync()
const ms = performance.now() - started
report({ ms, entities: await db.collection('cities').count({}) })
await sync.stop()
await db.close()
await dispatcher.close()
