// Not a sync server: over the same TLS it sends the pages that a first sync of ours gets, which are made before it is
// ready. argv: directory, `{ entities }`. Prints `ready URL`.
import { writeFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import { encodeEntity } from '@entidb/core/cbor'
import { DEFAULT_LIMITS, encodePullResponse } from '@entidb/protocol'
import { entityAt } from '../../harness/data-set.mjs'
import { createCertificate } from '../certificate.mjs'

const [directory, settings] = process.argv.slice(2)
const { entities } = JSON.parse(settings)
const DEVICE_ID = '00000000-0000-4000-8000-000000000000'

function operationOf(i) {
  const entity = entityAt(i)
  return {
    opId: i + 1,
    dbId: 'people',
    deviceId: DEVICE_ID,
    collection: 'people',
    entityId: entity.id,
    opType: 'PUT',
    entityVersion: i + 1,
    entityCbor: encodeEntity(entity),
  }
}

const pages = []
for (let from = 0; from < entities; from += DEFAULT_LIMITS.maxPullOps) {
  const to = Math.min(entities, from + DEFAULT_LIMITS.maxPullOps)
  const ops = Array.from({ length: to - from }, (_, k) => operationOf(from + k))
  pages.push(encodePullResponse({ ops, nextCursor: to, hasMore: to < entities }))
}
const tls = await createCertificate()
writeFileSync(`${directory}/cert.pem`, tls.cert)
const server = createSecureServer({ ...tls, allowHTTP1: true }, (request, response) => {
  const page = pages[Number(request.url.slice(1))]
  response.writeHead(page === undefined ? 404 : 200)
  response.end(page)
})
server.listen(0, '127.0.0.1', () => {
  console.log(`ready https://127.0.0.1:${server.address().port}`)
})
process.on('SIGTERM', () => process.exit(0))
