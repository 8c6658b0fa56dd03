// SHA-256 over (collection, id, revision, bytes) of every entity: two databases with the same digest
// hold the same bytes at the same revisions.
import { createHash } from 'node:crypto'

/** Of a device's database, through its public raw access. */
export async function contentDigest(db, collections = ['cities', 'progress']) {
  const hash = createHash('sha256')
  let entities = 0
  for (const name of collections) {
    const collection = db.collection(name)
    for await (const entity of collection.scan({})) {
      const { bytes, version } = await collection.getRaw(entity.id)
      addEntity(hash, name, entity.id, version, bytes)
      entities++
    }
  }
  return { digest: hash.digest('hex'), entities }
}

/** Of pulled operations, oldest first: what a device that applied them all holds. */
export function digestOfOperations(operations, collections = ['cities', 'progress']) {
  const states = new Map()
  for (const op of operations) {
    const key = JSON.stringify([op.collection, op.entityId])
    if (op.opType === 'DELETE') states.delete(key)
    else states.set(key, op)
  }
  const order = (a, b) =>
    collections.indexOf(a.collection) - collections.indexOf(b.collection) ||
    Buffer.compare(Buffer.from(a.entityId), Buffer.from(b.entityId))
  const hash = createHash('sha256')
  const live = [...states.values()].sort(order)
  for (const op of live)
    addEntity(hash, op.collection, op.entityId, op.entityVersion, op.entityCbor)
  return { digest: hash.digest('hex'), entities: live.length }
}

function addEntity(hash, collection, id, version, bytes) {
  hash.update(`${JSON.stringify([collection, id, version, bytes.length])}\n`)
  hash.update(bytes)
}
