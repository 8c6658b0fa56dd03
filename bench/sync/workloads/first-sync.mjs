// First sync of all entities into a fresh durable device, in a process just started as it is for users. The database on the
// device is open before the time is taken, and no connection is. The server has served another device before.
import { MIB, peakResidentBytes } from '../../harness/process-figures.mjs'
import { assertHolds } from '../checks.mjs'

const MEBIBYTES_MOST = 200

/** `{ rate, mebibytes }`: entities a second; the most that was resident over what was at the start. */
async function syncOnce({ engine: name, count, timer, open }, { servedBefore = true } = {}) {
  const stack = await open()
  const server = await stack.startServer({ entities: count })
  if (servedBefore) {
    const earlier = await stack.startDevice('earlier', server)
    await earlier.run('pull')
    await earlier.close()
  }
  const device = await stack.openDevice('device', server)
  globalThis.gc()
  const residentAtStart = process.memoryUsage().rss
  const ms = await timer.time(() => device.pull())
  const mebibytes = (peakResidentBytes() - residentAtStart) / MIB
  if (name !== 'limit') await assertHolds(device, count)
  await stack.close()
  return { rate: (count / ms) * 1000, mebibytes }
}

function memoryRow(name, words, goals) {
  return {
    name,
    title: `peak resident memory of the device in ${words}, over the start`,
    unit: 'MiB',
    isTimed: false,
    digits: 1,
    lessIsBetter: true,
    cost: { unit: 'MiB', of: (mebibytes) => mebibytes },
    goals,
  }
}

export const firstSync = {
  name: 'first-sync',
  rows: [
    {
      name: 'first-sync',
      title: 'first sync into a fresh durable device',
      unit: 'entities/s',
      goals: [
        { over: 'best peer', least: 2 },
        { over: 'pouchdb', least: 12 },
        { over: 'limit', least: 0.3 },
      ],
    },
    memoryRow('memory', 'that first sync', []),
  ],
  withLimits: true,
  place: 'copy',
  async run(task) {
    const { rate, mebibytes } = await syncOnce(task)
    return { 'first-sync': rate, ...(task.engine === 'limit' ? {} : { memory: mebibytes }) }
  },
}

export const firstSyncOfFew = {
  name: 'first-sync-small',
  rows: [
    {
      name: 'first-sync-small',
      title: 'first sync of 20,000 into a fresh durable device',
      unit: 'entities/s',
      goals: [{ over: 'best peer', least: 1.5 }],
    },
  ],
  withLimits: true,
  place: 'copy',
  size: 'small',
  run: async (task) => ({ 'first-sync-small': (await syncOnce(task)).rate }),
}

/** Ours alone unless others are named: they hold all entities in memory, and take minutes. */
export const memoryOfMany = {
  name: 'memory-large',
  rows: [memoryRow('memory-large', 'a first sync of 1 million', [{ most: MEBIBYTES_MOST }])],
  unlessNamed: ['entidb'],
  place: 'copy',
  size: 'large',
  async run(task) {
    const { mebibytes } = await syncOnce(task, { servedBefore: false })
    return { 'memory-large': mebibytes }
  },
}
