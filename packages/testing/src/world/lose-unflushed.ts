/** A power loss without chance: nothing of what was not flushed survives. */
import { diskWith } from '@entidb/core/conformance'
import { randomFor } from '../kernel/random-streams.ts'
import type { SimulatedDevice } from './device.ts'
import type { SimulatedServer } from './server.ts'

const NOTHING = { names: [], survivors: () => [] }

/** Whoever is in the middle of a request learns it at once, as from a host that is back. */
export function loseUnflushed(machine: SimulatedDevice | SimulatedServer): void {
  machine.crash(false)
  machine.disk = diskWith(randomFor(0, 'disk', machine.name), machine.disk.contentAfter(NOTHING))
}
