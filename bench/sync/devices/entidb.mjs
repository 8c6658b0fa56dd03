// EntiDB in a directory with strict durability (the default), over TLS. Of a field that both sides changed the server's
// value stays; all other edits of both are kept.
import { readFileSync } from 'node:fs'
import { defineCollection, EntiDB } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { EntiDBSync, mergeFields } from '@entidb/sync'
import { nodeFetch } from '@entidb/sync/node'

const PEOPLE = 'people'

/** `server.gzip`: asks for compressed answers, as devices do that are not on the server's machine. */
export async function openDevice(directory, { url, directory: serverDirectory, gzip = false }) {
  const db = await EntiDB.open({
    storage: fileStorage(directory),
    collections: { [PEOPLE]: defineCollection({}) },
    changeFeed: true,
  })
  const people = db.collection(PEOPLE)
  const fetch = nodeFetch({ ca: readFileSync(`${serverDirectory}/cert.pem`) })
  const encoding = gzip ? { 'accept-encoding': 'gzip' } : {}
  const sync = new EntiDBSync({
    db,
    config: {
      serverUrl: new URL(url),
      dbId: PEOPLE,
      authTokenProvider: async () => 'bench',
      conflictResolver: mergeFields({ [PEOPLE]: { contested: 'remote' } }),
      fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...encoding } }),
    },
  })
  const following = new AbortController()
  const syncAll = async () => {
    await sync.sync()
    if (sync.status.held > 0) throw new Error(`${sync.status.held} entities are held`)
  }
  return {
    async putMany(entities) {
      await people.putMany(entities)
    },
    pull: syncAll,
    push: syncAll,
    sync: syncAll,
    async follow(listener) {
      await sync.start()
      await sync.sync()
      const reader = await db.feedReader('bench')
      await skip(reader)
      void tell(reader, following.signal, listener)
    },
    read: (id) => people.get(id),
    async scan(visit) {
      for await (const entity of people.scan()) visit(entity)
    },
    async close() {
      following.abort()
      await sync.stop()
      await db.close()
    },
  }
}

/** What is in the feed already. */
async function skip(reader) {
  for await (const { opId } of reader.changes({ wait: false })) await reader.acknowledge(opId)
}

async function tell(reader, signal, listener) {
  for await (const { origin, payload } of reader.changes({ signal })) {
    if (origin !== 'local') listener(payload)
  }
}
