/** Does to the world what a plan says, when it says so. */
import { randomFor } from '../kernel/random-streams.ts'
import type { Step } from '../plan/plan.ts'
import type { DeviceImage, SimulatedDevice } from '../world/device.ts'
import type { SimulatedServer } from '../world/server.ts'
import type { World } from '../world/world.ts'

type Image = ReadonlyMap<string, Uint8Array>

export class StepRunner {
  readonly #world: World
  readonly #backups = new Map<string, DeviceImage>()
  #serverBackup: Image | undefined
  #left = 0
  #actions = 0

  constructor(world: World) {
    this.#world = world
  }

  /** Until the last step was begun. */
  async run(): Promise<void> {
    const { plan, time } = this.#world
    this.#left = plan.steps.length
    for (const step of plan.steps) {
      time.after(step.atMs, () => {
        this.#left--
        this.#do(() => this.#perform(step))
      })
    }
    while (this.#left > 0) await this.#world.step(Number.POSITIVE_INFINITY)
  }

  #do(what: () => Promise<void>): void {
    what().catch((error: unknown) => this.#world.fail(error))
  }

  async #perform(step: Step): Promise<void> {
    const { network, log } = this.#world
    switch (step.kind) {
      case 'act':
        return this.#act(step)
      case 'sync':
        return this.#sync(this.#world.device(step.device))
      case 'decide': {
        await this.#world.device(step.device).decideConflicts(randomFor(step.dice))
        return
      }
      case 'discard': {
        await this.#world.device(step.device).discardRejections()
        return
      }
      case 'partition':
        log.write(step.device, 'is cut off')
        network.partition(step.device)
        this.#later(step.forMs, async () => network.reconnect(step.device))
        return
      case 'cutStream':
        network.endStreams(step.device)
        return
      case 'crash':
        return this.#crash(step)
      case 'backup':
        return this.#backUp(step.of)
      case 'restore':
        return this.#restore(step.of, step.forMs)
      case 'clone': {
        const from = this.#world.device(step.from)
        if (!from.isUp) return
        log.write(step.device, `gets a copy of the files of ${step.from}`)
        this.#world.oracle.wasCopied(step.from)
        await this.#world.device(step.device).restore(from.image())
        this.#later(step.forMs, () => this.#boot(step.device))
        return
      }
      case 'upgrade':
        if (this.#world.device(step.device).upgrade()) {
          this.#later(step.forMs, () => this.#boot(step.device))
        }
        return
      case 'clock':
        log.write(step.of, `has a clock that is ${step.offsetMs} ms off`)
        this.#machine(step.of).clockOffsetMs = step.offsetMs
        return
      case 'sleep':
        log.write('run', `sleeps for ${step.forMs / 1000} s`)
        this.#world.time.sleep(step.forMs)
        return
      case 'maintain':
        return this.#world.server.maintain()
    }
  }

  async #act({ device, action, dice }: Extract<Step, { kind: 'act' }>): Promise<void> {
    const unique = `w${this.#actions++}`
    await this.#world.device(device).actBy(action, randomFor(dice), unique)
  }

  /** A person who presses a button; what goes wrong is shown by the events. */
  async #sync(device: SimulatedDevice): Promise<void> {
    await device.sync?.sync().catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error)) throw error
    })
  }

  async #crash({
    of,
    power,
    inOperations,
    forMs,
  }: Extract<Step, { kind: 'crash' }>): Promise<void> {
    const machine = this.#machine(of)
    if (!machine.isUp) return
    if (inOperations === 0) machine.crash(power)
    else machine.crashIn(inOperations)
    this.#later(forMs, async () => {
      machine.crash(power)
      if (power) machine.disk.losePower()
      await this.#boot(of)
    })
  }

  async #backUp(of: string): Promise<void> {
    const machine = this.#machine(of)
    if (!machine.isUp) return
    this.#world.log.write(of, 'is backed up')
    if (of === 'server') this.#serverBackup = this.#world.server.image()
    else this.#backups.set(of, this.#world.device(of).image())
  }

  async #restore(of: string, forMs: number): Promise<void> {
    const { server, oracle } = this.#world
    const deviceImage = this.#backups.get(of)
    if (deviceImage !== undefined) {
      await this.#world.device(of).restore(deviceImage)
      this.#later(forMs, () => this.#boot(of))
    }
    const image = this.#serverBackup
    if (of !== 'server' || image === undefined) return
    // What was accepted until now, and nobody looked at yet.
    await server.look()
    server.restore(image)
    oracle.serverRestored(await server.readOffline())
    this.#later(forMs, () => this.#boot(of))
  }

  async #boot(of: string): Promise<void> {
    if (of === 'server') this.#world.server.boot()
    else await this.#world.device(of).boot()
  }

  #machine(name: string): SimulatedDevice | SimulatedServer {
    return name === 'server' ? this.#world.server : this.#world.device(name)
  }

  /** The second half of a step. Not when everything was let through meanwhile: that did it. */
  #later(delayMs: number, what: () => Promise<void>): void {
    const { time, network } = this.#world
    time.after(delayMs, () => {
      if (!network.healed) this.#do(what)
    })
  }
}
