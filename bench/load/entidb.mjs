// Bulk load of the cities into EntiDB: one strict transaction, two indexes. argv[2]: directory.
import { defineCollection, EntiDB } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { cityEntities } from '../cities.mjs'
import { report } from '../report.mjs'

const entities = cityEntities()
const db = await EntiDB.open({
  storage: fileStorage(process.argv[2]),
  collections: {
    cities: defineCollection({
      indexes: { byCountry: ['country', 'population'], byName: ['name'] },
    }),
  },
})
const started = performance.now()
await db.collection('cities').putMany(entities)
report({ ms: performance.now() - started, entities: entities.length })
await db.close()
