// Resident memory once all entities are loaded, in transactions of 10,000 so that the benchmark itself
// holds few, over that of a bare Node. The database is still open.
import { fill } from '../../harness/fill.mjs'
import { bareResidentBytes, MIB, residentBytes } from '../../harness/process-figures.mjs'

/** The bound: `cacheBytes` (64 MiB) and 40 MiB. */
const RESIDENT_MIB_MOST = 104
const TRANSACTION_ENTITIES = 10_000

export const memory = {
  name: 'memory',
  rows: [
    {
      name: 'memory',
      title: 'resident memory after load, over a bare Node',
      unit: 'MiB',
      isTimed: false,
      digits: 1,
      lessIsBetter: true,
      cost: { unit: 'MiB', of: (mebibytes) => mebibytes },
      goals: [{ most: RESIDENT_MIB_MOST }],
    },
  ],
  place: 'empty',
  async run({ count, open }) {
    const engine = await open()
    await fill(engine, count, TRANSACTION_ENTITIES)
    const resident = await residentBytes()
    await engine.close()
    return { memory: (resident - bareResidentBytes()) / MIB }
  },
}
