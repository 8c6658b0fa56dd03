// Loads all entities in one durable transaction with both indexes, and looks what that takes on disk.

import { assertLoaded } from '../checks.mjs'
import { entitiesBetween } from '../data-set.mjs'
import { isLimit } from '../engines.mjs'
import { bytesOnDisk, MIB } from '../process-figures.mjs'

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
      digits: 1,
      lessIsBetter: true,
      cost: { unit: 'bytes/entity', of: (mebibytes, count) => (mebibytes * MIB) / count },
      goals: [{ over: 'better-sqlite3', most: 1 }],
    },
  ],
  withLimits: true,
  place: 'empty',
  async run({ engine: name, directory, count, timer, open }) {
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
