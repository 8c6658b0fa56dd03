// Loads all entities in one durable transaction with both indexes, and looks what that takes on disk.

import { mkdirSync, rmSync } from 'node:fs'
import { entitiesBetween } from '../../harness/data-set.mjs'
import { bytesOnDisk, MIB } from '../../harness/process-figures.mjs'
import { assertLoaded } from '../checks.mjs'
import { isLimit } from '../engines.mjs'

export const bulk = {
  name: 'bulk',
  rows: [
    {
      name: 'bulk',
      title: 'bulk insert in one transaction, two indexes',
      unit: 'entities/s',
      goals: [{ over: 'best peer', least: 1.3 }],
    },
    {
      name: 'disk',
      title: 'size on disk after load',
      unit: 'MiB',
      isTimed: false,
      digits: 1,
      lessIsBetter: true,
      cost: { unit: 'bytes/entity', of: (mebibytes, count) => (mebibytes * MIB) / count },
      goals: [{ over: 'better-sqlite3', most: 1 }],
    },
  ],
  withLimits: true,
  place: 'empty',
  async run({ engine: name, directory, count, effort, timer, open }) {
    if (effort.bulkWarmUp > 0) await warmUp(open, `${directory}/warm-up`, effort.bulkWarmUp)
    const entities = entitiesBetween(0, count)
    const engine = await open()
    const input = engine.prepare?.(entities) ?? entities
    const ms = await timer.time(() => engine.load(input))
    if (!isLimit(name)) await assertLoaded(engine, count)
    await engine.close()
    return {
      bulk: (count / ms) * 1000,
      ...(isLimit(name) ? {} : { disk: bytesOnDisk(directory) / MIB }),
    }
  },
}

/** Into another database, which is dropped. Only to compare sizes: users load in a fresh process. */
async function warmUp(open, directory, count) {
  mkdirSync(directory)
  const engine = await open(directory)
  const entities = entitiesBetween(0, count)
  await engine.load(engine.prepare?.(entities) ?? entities)
  await engine.close()
  rmSync(directory, { recursive: true })
}
