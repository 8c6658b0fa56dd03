// A sync server's database with a history: so many operations on so many entities, each pushed in requests of 1,000, and
// compacted if asked for. argv: directory, operations, entities, `compact` or `keep`.
import { encodeEntity } from '@entidb/core/cbor'
import { createSyncHandler, staticTokens } from '@entidb/server'
import { entityAt } from '../harness/data-set.mjs'
import { report } from '../report.mjs'

const [dataDir, operations, entities, what] = process.argv.slice(2)
const PER_PUSH = 1000
const handler = createSyncHandler({
  dataDir,
  auth: staticTokens({ bench: { subject: 'bench', databases: '*', access: 'write' } }),
  createDatabases: true,
})
const revisions = new Float64Array(Number(entities))
const identity = { subject: 'bench', databases: '*', access: 'write' }
// Made by the first request with a token that may write.
await handler.fetch(
  new Request('https://bench/v1/stream?dbId=history', {
    headers: { authorization: 'Bearer bench' },
  }),
)
const database = await handler.database('history')
const started = performance.now()
for (let done = 0; done < Number(operations); done += PER_PUSH) {
  const ops = Array.from({ length: Math.min(PER_PUSH, Number(operations) - done) }, (_, i) => {
    const at = (done + i) % revisions.length
    const entity = { ...entityAt(at), edits: Math.floor((done + i) / revisions.length) }
    return {
      opId: done + i + 1,
      dbId: 'history',
      deviceId: 'loader',
      collection: 'people',
      entityId: entity.id,
      opType: 'PUT',
      entityVersion: revisions[at],
      entityCbor: encodeEntity(entity),
    }
  })
  const { committed } = await database.push({ dbId: 'history', deviceId: 'loader', ops }, identity)
  for (const [i, { entityVersion }] of committed.entries()) {
    revisions[(done + i) % revisions.length] = entityVersion
  }
}
const pushMs = performance.now() - started
const compactStarted = performance.now()
const compactedOps = what === 'compact' ? (await database.housekeep()).compactedOps : 0
const compactMs = performance.now() - compactStarted
await handler.close()
report({ pushMs, compactMs, compactedOps })
