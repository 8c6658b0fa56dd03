// Yjs: one document with a map of plain objects, whole in memory, its updates in LevelDB by y-leveldb, which flushes
// nothing. Over a plain WebSocket. Of two edits of one entity one wins everywhere and the other is gone.
import { createEncoder, toUint8Array, writeVarUint } from 'lib0/encoding'
import { WebSocket } from 'ws'
import { LeveldbPersistence } from 'y-leveldb'
import { writeSyncStep1 } from 'y-protocols/sync'
import { WebsocketProvider } from 'y-websocket'
import { applyUpdate, Doc, encodeStateAsUpdate } from 'yjs'

const ROOM = 'people'
const SYNC_MESSAGE = 0
const SYNC_STEP_2 = 1

export async function openDevice(directory, { url }) {
  const doc = new Doc()
  const people = doc.getMap('people')
  const stored = new LeveldbPersistence(`${directory}/people`)
  const before = await stored.getYDoc(ROOM)
  applyUpdate(doc, encodeStateAsUpdate(before))
  let storing = Promise.resolve()
  doc.on('update', (update) => {
    storing = stored.storeUpdate(ROOM, update)
  })
  let following

  const connect = async () => {
    const provider = new WebsocketProvider(url, ROOM, doc, {
      WebSocketPolyfill: WebSocket,
      disableBc: true,
    })
    if (!provider.synced) await new Promise((resolve) => provider.once('sync', resolve))
    return provider
  }
  const syncAll = async () => {
    const provider = await connect()
    await askOnce(provider.ws, doc)
    await storing
    provider.destroy()
  }
  return {
    async putMany(entities) {
      doc.transact(() => {
        for (const entity of entities) people.set(entity.id, entity)
      })
      await storing
    },
    pull: syncAll,
    push: syncAll,
    sync: syncAll,
    async follow(listener) {
      following = await connect()
      people.observe(({ keysChanged, transaction }) => {
        if (transaction.local) return
        for (const id of keysChanged) listener(people.get(id))
      })
    },
    read: async (id) => people.get(id),
    async scan(visit) {
      for (const entity of people.values()) visit(entity)
    },
    async close() {
      following?.destroy()
      await storing
      await stored.destroy()
      doc.destroy()
    },
  }
}

/** The server answers in order: what was sent before this question is in its document when it answers. */
function askOnce(socket, doc) {
  const question = createEncoder()
  writeVarUint(question, SYNC_MESSAGE)
  writeSyncStep1(question, doc)
  return new Promise((resolve) => {
    socket.on('message', function hear(data) {
      const [type, step] = new Uint8Array(data)
      if (type !== SYNC_MESSAGE || step !== SYNC_STEP_2) return
      socket.off('message', hear)
      resolve()
    })
    socket.send(toUint8Array(question))
  })
}
