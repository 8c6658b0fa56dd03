/**
 * One run of a small scope: every device makes one edit and syncs once, and whenever more than one thing could
 * happen next, the choices decide. What one device does by itself moves past what another one does, so only the
 * order in which the server gets requests is tried, and where a device's own edit falls between its messages.
 */
import type { Application } from '../application/application.ts'
import type { Process } from '../kernel/process.ts'
import { randomFor } from '../kernel/random-streams.ts'
import { settle } from '../kernel/virtual-time.ts'
import type { Gate } from '../network/network.ts'
import { deviceName, type Plan } from '../plan/plan.ts'
import { comeToRest } from '../run/come-to-rest.ts'
import { assertAllWell } from '../run/final-checks.ts'
import type { SimulatedDevice } from '../world/device.ts'
import { World } from '../world/world.ts'
import type { Choices } from './choices.ts'

/** What is tried. */
export interface SmallScope {
  /** An action of the application for each device. */
  readonly actions: readonly string[]
  /** The resolver that every device has. */
  readonly resolver: string
  /** Lost answers and crashes that may happen in one run. */
  readonly faultsMax: number
}

/** Flushes and pauses of a device end by then; its timeouts do not. */
const QUIET_MS = 400

interface Held {
  readonly process: Process
  readonly kind: 'request' | 'answer'
  readonly deliver: (isAnswerLost: boolean) => void
}

interface Participant {
  readonly device: SimulatedDevice
  readonly action: string
  hasEdited: boolean
  hasSynced: boolean
}

/** Throws what is wrong. The world is handed out for its log. */
export async function runSmallScope(
  scope: SmallScope,
  application: Application,
  choices: Choices,
  onWorld: (world: World) => void,
): Promise<void> {
  const world = new World(planOf(scope), application)
  onWorld(world)
  world.isAutomatic = false
  await begin(world)
  world.isSetUp = true
  await new ScopeRun(world, scope, choices).run()
  world.isAutomatic = true
  for (const device of world.devices) device.startSync()
  await comeToRest(world)
  await assertAllWell(world)
}

function planOf({ actions, resolver }: SmallScope): Plan {
  return {
    seed: 1,
    config: {
      devices: actions.length,
      versions: actions.map(() => 1),
      resolvers: actions.map(() => resolver),
      latencyMs: [1, 1],
      flushMs: [1, 1],
      faultRate: 0,
      maxOpsPerPush: 100,
      maxPullOps: 100,
      retentionMs: 3_600_000_000,
      pollIntervalMs: 60_000,
      stream: false,
      tokenLifeMs: 3_600_000_000,
    },
    steps: [],
  }
}

/** Every device has what the application begins with. */
async function begin(world: World): Promise<void> {
  const { server, devices, application } = world
  server.boot()
  for (const device of devices) void device.boot().catch((error: unknown) => world.fail(error))
  await quiet(world)
  const [first] = devices
  if (first !== undefined && application.setUp !== undefined) {
    const run = application.setUp.bind(application)
    await inWorld(world, first.act('setUp', { run }, randomFor(1, 'setUp'), 'setUp'))
  }
  for (const device of devices) await inWorld(world, syncOf(device))
}

async function inWorld(world: World, work: Promise<unknown>): Promise<void> {
  let isDone = false
  work.then(
    () => {
      isDone = true
    },
    (error: unknown) => world.fail(error),
  )
  await settle()
  while (!isDone) {
    if (!(await world.step(world.time.nowMs + QUIET_MS))) throw new Error('it does not end')
  }
}

async function syncOf(device: SimulatedDevice): Promise<void> {
  await device.sync?.sync().catch((error: unknown) => {
    // It is told by an event, and tried again at the end.
    if (!(error instanceof Error && 'code' in error)) throw error
  })
}

/** Everything that happens by itself has happened. */
async function quiet(world: World): Promise<void> {
  await settle()
  while (await world.step(world.time.nowMs + QUIET_MS)) {}
}

class ScopeRun implements Gate {
  readonly #world: World
  readonly #choices: Choices
  readonly #participants: readonly Participant[]
  #held: Held[] = []
  #faultsLeft: number

  constructor(world: World, { actions, faultsMax }: SmallScope, choices: Choices) {
    this.#world = world
    this.#choices = choices
    this.#faultsLeft = faultsMax
    this.#participants = actions.map((action, i) => ({
      device: world.device(deviceName(i)),
      action,
      hasEdited: false,
      hasSynced: false,
    }))
  }

  hold(process: Process, kind: Held['kind'], deliver: Held['deliver']): void {
    this.#held.push({ process, kind, deliver })
  }

  async run(): Promise<void> {
    this.#world.network.gate = this
    do await quiet(this.#world)
    while (this.#beginSomething() || this.#deliverAnswer() || this.#deliverRequest())
    this.#world.network.gate = undefined
  }

  /** A device that has nothing under way edits or syncs: of no concern to the others. */
  #beginSomething(): boolean {
    const idle = this.#participants.find(
      (each) => !this.#isUnderWay(each) && !(each.hasEdited && each.hasSynced),
    )
    if (idle === undefined) return false
    if (idle.hasEdited || (!idle.hasSynced && this.#choices.choose(2) === 0)) this.#sync(idle)
    else this.#edit(idle)
    return true
  }

  #isUnderWay({ device }: Participant): boolean {
    return this.#held.some(({ process }) => process.name === device.name)
  }

  /** An answer arrives before anything else is asked; its device may edit, or die, before that. */
  #deliverAnswer(): boolean {
    const held = this.#held.find(({ kind }) => kind === 'answer')
    if (held === undefined) return false
    const participant = this.#participantOf(held)
    const options = [
      () => this.#deliver(held, false),
      ...(participant.hasEdited ? [] : [() => this.#edit(participant)]),
      ...(this.#faultsLeft > 0 ? [() => this.#crash(participant)] : []),
    ]
    options[this.#choices.choose(options.length)]?.()
    return true
  }

  /** Somebody's request reaches the server; its answer may be lost, or the server dies behind it. */
  #deliverRequest(): boolean {
    const options = this.#held.flatMap((held) => [
      () => this.#deliver(held, false),
      ...(this.#faultsLeft > 0 ? [() => this.#lose(held), () => this.#crashServer(held)] : []),
    ])
    if (options.length === 0) return false
    options[this.#choices.choose(options.length)]?.()
    return true
  }

  #deliver(held: Held, isAnswerLost: boolean): void {
    this.#held = this.#held.filter((each) => each !== held)
    held.deliver(isAnswerLost)
  }

  #lose(held: Held): void {
    this.#faultsLeft--
    this.#deliver(held, true)
  }

  /** With the power, in the middle of the request or just behind it. */
  #crashServer(held: Held): void {
    this.#faultsLeft--
    const { server, time } = this.#world
    this.#deliver(held, true)
    time.after(this.#choices.choose(2) === 0 ? 0.5 : 50, () => {
      server.crash(true)
      server.boot()
    })
  }

  #crash({ device }: Participant): void {
    this.#faultsLeft--
    device.crash(true)
    this.#held = this.#held.filter(({ process }) => process.name !== device.name)
    this.#do(device.boot())
  }

  #edit(participant: Participant): void {
    participant.hasEdited = true
    const { device, action } = participant
    this.#do(device.actBy(action, randomFor(1, device.name), device.name))
  }

  #sync(participant: Participant): void {
    participant.hasSynced = true
    this.#do(syncOf(participant.device))
  }

  #participantOf({ process }: Held): Participant {
    const found = this.#participants.find(({ device }) => device.name === process.name)
    if (found === undefined) throw new RangeError(`${process.name} takes no part`)
    return found
  }

  #do(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.#world.fail(error))
  }
}
