// TinyBase's MergeableStore: in memory, its file persister writes all of it as JSON, not flushed. It does so after a sync and
// after a load, but not after each live edit: at 20,000 entities every edit would wait for the whole file. Over a plain
// WebSocket. Merges field by field, the later edit of one field wins and the other is gone.
import { createMergeableStore } from 'tinybase'
import { createFilePersister } from 'tinybase/persisters/persister-file'
import { createWsSynchronizer } from 'tinybase/synchronizers/synchronizer-ws-client'
import { WebSocket } from 'ws'

const TABLE = 'people'
const REQUEST_SECONDS_MOST = 600
/** How often the server is asked whether it holds the same: there is no other sign of it. */
const ASK_EVERY_MS = 5

/** Into the file of a server that does not run: many entities would not get there by a push within minutes. */
export async function loadServer(directory, entities) {
  const store = createMergeableStore()
  const persister = createFilePersister(store, `${directory}/people.json`)
  await persister.load()
  putAll(store, entities)
  await persister.save()
  await persister.destroy()
}

export async function openDevice(directory, { url }) {
  const store = createMergeableStore()
  const persister = createFilePersister(store, `${directory}/people.json`)
  await persister.load()
  const address = new URL(url)
  let isFollowing = false
  let disconnect

  const connect = async () => {
    const socket = new WebSocket(`ws://${address.host}/people`)
    let isEnding = false
    // What it asked another device may be open when it ends.
    const fail = (error) => {
      if (error && !isEnding) throw error
    }
    const synchronizer = await createWsSynchronizer(
      ...[store, socket, REQUEST_SECONDS_MOST, undefined, undefined, fail],
    )
    socket.on('close', (code, reason) => fail(new Error(`closed: ${code} ${reason}`)))
    await synchronizer.startSync()
    return async () => {
      isEnding = true
      await synchronizer.destroy()
    }
  }
  const agrees = async () => {
    const response = await fetch(`${url}/content-hashes`)
    return (await response.text()) === JSON.stringify(store.getMergeableContentHashes())
  }
  const syncAll = async () => {
    // It stays, because the other device may be asking this one; it ends before the next offline edit.
    disconnect ??= await connect()
    while (!(await agrees())) await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
    await persister.save()
  }
  const goOffline = async () => {
    await disconnect?.()
    disconnect = undefined
  }
  return {
    async putMany(entities) {
      if (!isFollowing) await goOffline()
      putAll(store, entities)
    },
    async save() {
      await persister.save()
    },
    pull: syncAll,
    push: syncAll,
    sync: syncAll,
    async follow(listener) {
      disconnect ??= await connect()
      isFollowing = true
      store.addRowListener(TABLE, null, (_store, _table, id) => listener(store.getRow(TABLE, id)))
    },
    read: async (id) => store.getRow(TABLE, id),
    async scan(visit) {
      for (const id of store.getRowIds(TABLE)) visit(store.getRow(TABLE, id))
    },
    async close() {
      await goOffline()
      await persister.destroy()
    },
  }
}

function putAll(store, entities) {
  store.transaction(() => {
    for (const entity of entities) store.setRow(TABLE, entity.id, entity)
  })
}
