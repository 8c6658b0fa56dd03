// A store in a process of its own, to be killed. It makes commit after commit of `store-history.mjs`, several
// on their way at a time, makes checkpoints, closes and opens again, and tells on stdout, at once:
//
//   opened N      N commits were found
//   committed N   commit N is durable
//
// argv[2]: JSON { directory }.

import { writeSync } from 'node:fs'
import { fileStorage } from '@entidb/core/node'
import { changesOf } from './store-history.mjs'

const { directory } = JSON.parse(process.argv[2])
const encoder = new TextEncoder()
const onTheirWayMax = 6
const commitsPerOpening = 250
const commitsPerCheckpoint = 70

/** Not through a stream: what is told is told before anything else happens. */
const tell = (line) => writeSync(1, `${line}\n`)

for (;;) await useStore()

async function useStore() {
  const store = await fileStorage(directory).open({ durability: 'strict' })
  const { lastLsn } = store.recovery
  tell(`opened ${lastLsn}`)
  let onTheirWay = []
  for (let number = lastLsn + 1; number <= lastLsn + commitsPerOpening; number++) {
    onTheirWay.push(await commit(store, number))
    if (onTheirWay.length < onTheirWayMax) continue
    await Promise.all(onTheirWay.map(({ durable }) => durable))
    onTheirWay = []
    if (number % commitsPerCheckpoint < onTheirWayMax) void checkpoint(store)
  }
  await Promise.all(onTheirWay.map(({ durable }) => durable))
  await store.close()
}

/** It may wait for another one, and then find the store closed. Nothing else may fail. */
async function checkpoint(store) {
  try {
    await store.checkpoint()
  } catch (error) {
    if (error.code !== 'database_closed') throw error
  }
}

/** Resolves when the next one may begin. */
async function commit(store, number) {
  const tx = await store.begin()
  for (const { kind, table, key, value } of changesOf(number)) {
    if (kind === 'put') await tx.put(table, encoder.encode(key), value)
    else if (kind === 'delete') await tx.delete(table, encoder.encode(key))
    else await tx.clear(table)
  }
  const durable = tx.commit().then(() => tell(`committed ${number}`))
  return { durable }
}
