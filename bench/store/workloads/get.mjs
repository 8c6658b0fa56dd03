// Gets by random ids, decoded, in a warm process: 100,000 entities of which every one was read before,
// and 5 million of which the cache holds a few.
import { Checksum, numbersBetween, Tally } from '../../harness/checks.mjs'
import { idAt, randomIndexes } from '../../harness/data-set.mjs'
import { MIB, peakResidentBytes } from '../../harness/process-figures.mjs'

const WARM_UP_SEED = 1
const SEED = 2

/** `check` compares what was read with what should be: after the peak of memory was looked at. */
async function measureGets(engine, { count, effort: { gets }, timer }, warmUp) {
  const seenBefore = new Checksum()
  await engine.getAll(Array.from(warmUp, idAt), seenBefore.visit)
  const numbers = randomIndexes(gets, count, SEED)
  const ids = Array.from(numbers, idAt)
  const seen = new Tally()
  const ms = await timer.time(() => engine.getAll(ids, seen.visit))
  const check = () => {
    seenBefore.assertIs('the warm-up', warmUp)
    seen.assertIs('the gets', numbers)
  }
  return { rate: (gets / ms) * 1000, check }
}

export const get = {
  name: 'get',
  rows: [
    {
      name: 'get',
      title: 'get by id, decoded, warm, random',
      unit: 'gets/s',
      goals: [{ over: 'best peer', least: 1.3 }],
    },
  ],
  variants: ['entidb-uncached', 'lmdb-cached'],
  place: 'unchanged',
  async run(task) {
    const engine = await task.open()
    const warmUp = numbersBetween(0, task.count)
    const { rate, check } = await measureGets(engine, task, warmUp)
    check()
    await engine.close()
    return { get: rate }
  },
}

export const getLarge = {
  name: 'get-large',
  rows: [
    {
      name: 'get-large',
      title: 'get by id, 5 million entities, cacheBytes 64 MiB, random',
      unit: 'gets/s',
      goals: [{ over: 'best peer', least: 1 }],
    },
    {
      name: 'memory-large',
      title: 'peak resident memory of those gets',
      unit: 'MiB',
      isTimed: false,
      digits: 1,
      lessIsBetter: true,
      cost: { unit: 'MiB', of: (mebibytes) => mebibytes },
      goals: [{ most: 400 }],
    },
  ],
  size: 'large',
  isLong: true,
  place: 'unchanged',
  async run(task) {
    const engine = await task.open()
    const warmUp = randomIndexes(task.effort.gets, task.count, WARM_UP_SEED)
    const { rate, check } = await measureGets(engine, task, warmUp)
    const peak = peakResidentBytes()
    check()
    await engine.close()
    return { 'get-large': rate, 'memory-large': peak / MIB }
  },
}
