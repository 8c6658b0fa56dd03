/** What goes wrong with messages. Drawn by chance, or as a plan lists it. */
import { pick, randomFor } from '../kernel/random-streams.ts'

/**
 * `refuse`: the request is lost, and the sender learns it. `vanish`: it is lost, and nobody answers. `lose`: it is
 * processed and the answer is lost, `vanishAfter`: without a sign. `cut`: the answer ends in the middle.
 * `twice`: a second copy is processed as well, soon after. `late`: the answer is lost, and a copy of the request arrives
 * long after.
 */
export type MessageFault = 'refuse' | 'vanish' | 'lose' | 'vanishAfter' | 'cut' | 'twice' | 'late'

/** Which message of which device. */
export interface PlannedFault {
  readonly device: string
  /** Requests of the device are counted from 0, through all its lives. */
  readonly request: number
  readonly fault: MessageFault
}

/** Decides about each request. */
export interface FaultSource {
  next(device: string, request: number): MessageFault | undefined
}

const FAULTS: readonly MessageFault[] = [
  'refuse',
  'lose',
  'lose',
  'twice',
  'cut',
  'late',
  'vanish',
  'vanishAfter',
]

/** By chance, and written down. */
export class DrawnFaults implements FaultSource {
  readonly drawn: PlannedFault[] = []
  readonly #seed: number
  readonly #rate: number

  constructor(seed: number, rate: number) {
    this.#seed = seed
    this.#rate = rate
  }

  next(device: string, request: number): MessageFault | undefined {
    const random = randomFor(this.#seed, 'fault', device, request)
    if (!random.chance(this.#rate)) return undefined
    const fault = pick(random, FAULTS)
    this.drawn.push({ device, request, fault })
    return fault
  }
}

/** Exactly those of a list. */
export class ListedFaults implements FaultSource {
  readonly drawn: readonly PlannedFault[]

  constructor(faults: readonly PlannedFault[]) {
    this.drawn = faults
  }

  next(device: string, request: number): MessageFault | undefined {
    return this.drawn.find((each) => each.device === device && each.request === request)?.fault
  }
}
