// What a server needs for each operation of a pull from 0, without a network. argv: directory, how often.
import { decodePullResponse, encodePullRequest } from '@entidb/protocol'
import { createSyncHandler, staticTokens } from '@entidb/server'
import { report } from '../report.mjs'

const [dataDir, times] = process.argv.slice(2)
/** In its first moments JavaScript runs unoptimised. */
const WARM_UP_OPERATIONS = 100_000
const handler = createSyncHandler({
  dataDir,
  auth: staticTokens({ bench: { subject: 'bench', databases: '*', access: 'read' } }),
})
const headers = { authorization: 'Bearer bench', 'content-type': 'application/cbor' }

/** One pull from 0, at most so many operations of it. */
async function pullAll(operationsMax = Number.POSITIVE_INFINITY) {
  let operations = 0
  let ms = 0
  let cpuMs = 0
  for (let sinceCursor = 0, hasMore = true; hasMore && operations < operationsMax; ) {
    const body = encodePullRequest({ dbId: 'history', sinceCursor })
    const started = performance.now()
    const cpuBefore = process.cpuUsage()
    const response = await handler.fetch(
      new Request('https://bench/v1/pull', { method: 'POST', headers, body }),
    )
    const answer = new Uint8Array(await response.arrayBuffer())
    const { user, system } = process.cpuUsage(cpuBefore)
    cpuMs += (user + system) / 1000
    ms += performance.now() - started
    const page = decodePullResponse(answer)
    operations += page.ops.length
    hasMore = page.hasMore
    sinceCursor = page.nextCursor
  }
  return { operations, ms, cpuMs }
}

for (let warm = 0; warm < WARM_UP_OPERATIONS; ) {
  warm += (await pullAll(WARM_UP_OPERATIONS)).operations
}
const total = { operations: 0, ms: 0, cpuMs: 0 }
for (let i = 0; i < Number(times); i++) {
  const { operations, ms, cpuMs } = await pullAll()
  total.operations += operations
  total.ms += ms
  total.cpuMs += cpuMs
}
await handler.close()
report(total)
