// RxDB with its replication over plain HTTP. Its device keeps everything in memory: of its free storages for Node none
// stores so many entities on disk. It tells the application of conflicts; its default handler, which is used here, takes the
// server's state and drops the device's edit.
import { replicateRxCollection } from 'rxdb/plugins/replication'
import { Subject } from 'rxjs'
import { Agent, fetch } from 'undici'
import { openPeople } from '../../rxdb-people.mjs'

const BATCH_ENTITIES = 1000

/** `server.gzip`: asks for compressed answers. */
export async function openDevice(directory, { url, gzip = false }) {
  const { db, people } = await openPeople(directory)
  const dispatcher = new Agent()
  const request = async (path, init = {}) => {
    const headers = {
      ...{ 'accept-encoding': gzip ? 'gzip' : 'identity' },
      ...{ 'content-type': 'application/json' },
    }
    const response = await fetch(`${url}${path}`, { ...init, headers, dispatcher })
    if (!response.ok) throw new Error(`${path} answered ${response.status}`)
    return response
  }
  const replicationOf = (options) =>
    replicateRxCollection({
      collection: people,
      replicationIdentifier: 'http',
      pull: {
        batchSize: BATCH_ENTITIES,
        handler: async (checkpoint, limit) => {
          const response = await request(`/pull?after=${checkpoint?.seq ?? 0}&limit=${limit}`)
          return response.json()
        },
        ...(options.stream$ === undefined ? {} : { stream$: options.stream$ }),
      },
      push: {
        batchSize: BATCH_ENTITIES,
        handler: async (rows) => {
          const response = await request('/push', { method: 'POST', body: JSON.stringify(rows) })
          return response.json()
        },
      },
      live: options.live,
    })
  const syncAll = async () => {
    const replication = replicationOf({ live: false })
    replication.error$.subscribe(failLater)
    await replication.awaitInitialReplication()
    await replication.cancel()
  }
  const ending = new AbortController()
  let following
  return {
    async putMany(entities) {
      const { error } = await people.bulkUpsert(entities)
      if (error.length > 0) throw new Error(`RxDB refused ${error.length} entities`)
    },
    pull: syncAll,
    push: syncAll,
    sync: syncAll,
    async follow(listener) {
      const stream$ = new Subject()
      following = replicationOf({ live: true, stream$ })
      following.error$.subscribe(failLater)
      await following.awaitInitialReplication()
      people.$.subscribe(({ documentData }) => listener(documentData))
      const { body } = await request('/stream', { signal: ending.signal })
      void readEvents(body, (event) => stream$.next(event)).catch(() => {})
    },
    read: (id) => people.findOne(id).exec(),
    async scan(visit) {
      for (const document of await people.find().exec()) visit(document)
    },
    async close() {
      ending.abort()
      await following?.cancel()
      await db.close()
      await dispatcher.close()
    },
  }
}

/** It would try again for ever. */
function failLater(error) {
  setImmediate(() => {
    throw error
  })
}

async function readEvents(body, handle) {
  let rest = ''
  const utf8 = new TextDecoder()
  for await (const chunk of body) {
    const events = (rest + utf8.decode(chunk, { stream: true })).split('\n\n')
    rest = events.pop()
    for (const event of events) if (event.startsWith('data: ')) handle(JSON.parse(event.slice(6)))
  }
}
