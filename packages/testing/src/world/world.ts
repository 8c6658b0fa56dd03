/** All that takes part in a run, and what it shares. */
import type { Application } from '../application/application.ts'
import { type CompleteVersion, versionsOf } from '../application/versions.ts'
import { EventLog } from '../kernel/event-log.ts'
import { Tally } from '../kernel/tally.ts'
import { atOnce, VirtualTime } from '../kernel/virtual-time.ts'
import { DrawnFaults, ListedFaults } from '../network/faults.ts'
import { type AnsweredRequest, Network } from '../network/network.ts'
import { Oracle } from '../oracle/oracle.ts'
import { Shapes } from '../oracle/shapes.ts'
import { assertPlan } from '../plan/assert-plan.ts'
import { deviceName, type Plan } from '../plan/plan.ts'
import { SimulatedDevice } from './device.ts'
import { SimulatedServer } from './server.ts'
import { Tokens } from './tokens.ts'
import { AnswerWatch } from './watch-answers.ts'

export class World {
  readonly plan: Plan
  readonly application: Application
  readonly time: VirtualTime = new VirtualTime()
  readonly log: EventLog = new EventLog(() => this.time.nowMs)
  readonly tally: Tally = new Tally()
  readonly versions: readonly CompleteVersion[]
  readonly oracle: Oracle
  readonly faults: DrawnFaults | ListedFaults
  readonly tokens: Tokens
  readonly server: SimulatedServer
  readonly answers: AnswerWatch
  readonly network: Network
  readonly devices: readonly SimulatedDevice[]
  /** The first failure of anything that runs beside the events. */
  failure: { readonly error: unknown } | undefined
  /** Devices sync by themselves from their boot on. */
  isAutomatic = true
  /** The application's invariant holds from the end of its set-up on. */
  isSetUp = false
  readonly #touched = new Set<SimulatedDevice>()

  constructor(plan: Plan, application: Application) {
    const { seed, config, faults } = plan
    this.plan = plan
    this.application = application
    this.versions = versionsOf(application)
    assertPlan(plan, this.versions)
    const shapes = new Shapes(this.versions.map(({ collections }) => collections))
    this.oracle = new Oracle(this.tally, shapes)
    this.faults =
      faults === undefined ? new DrawnFaults(seed, config.faultRate) : new ListedFaults(faults)
    this.tokens = new Tokens(config.tokenLifeMs)
    this.server = new SimulatedServer(this)
    this.answers = new AnswerWatch(
      this.oracle.server,
      this.tally,
      () => this.time.wallMs,
      (device, head) => this.device(device).view.gotSnapshotPage(head),
    )
    this.network = new Network({
      time: this.time,
      log: this.log,
      seed,
      faults: this.faults,
      latencyMs: config.latencyMs,
      host: this.server,
      onPush: (device, deviceId) => this.oracle.server.knowDevice(device, deviceId),
      onAnswer: (answered) => this.#watch(answered),
    })
    this.devices = config.resolvers.map(
      (resolver, i) => new SimulatedDevice(this, deviceName(i), resolver, config.versions[i] ?? 1),
    )
  }

  device(name: string): SimulatedDevice {
    const device = this.devices.find((each) => each.name === name)
    if (device === undefined) throw new RangeError(`there is no ${name}`)
    return device
  }

  /** What runs beside the events failed: the run ends. */
  fail(error: unknown): void {
    this.failure ??= { error }
  }

  #watch(answered: AnsweredRequest): void {
    try {
      this.answers.look(answered)
    } catch (error) {
      this.fail(error)
    }
  }

  /** The device committed something. */
  touched(device: SimulatedDevice): void {
    this.#touched.add(device)
  }

  /** One event, and a look at all it changed. False: nothing is due until then. */
  async step(untilMs: number): Promise<boolean> {
    if (!(await this.time.step(untilMs))) return false
    // Before the looks: what failed first is not to be hidden by what came of it.
    this.#throwFailure()
    await atOnce(this.server.look(), 'a look at the server')
    if (this.answers.takeCleared())
      await atOnce(this.server.assertLog(), "a look at the server's log")
    for (const device of this.#touched) await atOnce(device.look(), `a look at ${device.name}`)
    this.#touched.clear()
    this.#throwFailure()
    return true
  }

  #throwFailure(): void {
    if (this.failure !== undefined) throw this.failure.error
  }
}
