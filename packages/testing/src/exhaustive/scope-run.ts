/**
 * One run of a small scope: whenever more than one thing could happen next, the choices decide. What a device does by
 * itself moves past what another one does and past the server, so that it need not be tried in every order: whoever can
 * do something by itself does it before the server does the next thing.
 */
import type { Gate, HeldAnswer, HeldRequest } from '../network/network.ts'
import { loseUnflushed } from '../world/lose-unflushed.ts'
import type { World } from '../world/world.ts'
import type { Choices } from './choices.ts'
import { Participant } from './participant.ts'
import { inWorld, quiet } from './quiet-world.ts'
import { ServerImages } from './server-images.ts'
import { type ServerStep, SleepingSteps } from './server-step.ts'
import {
  CRASHES,
  devicesOf,
  RETENTION_MS,
  type ScopeFault,
  type SmallScope,
} from './small-scope.ts'

/** Half of a flush. */
const MID_FLUSH_MS = 1
/** So long after a request the server looks whether to clear its log: that would not commute with anything. */
const HOUSEKEEPING_AFTER_MS = 2_000

type Next = 'goesOn' | 'ends' | 'isRedundant'

interface Option {
  readonly take: () => void | Promise<void>
  readonly isFault: boolean
}

interface NamedRequest extends HeldRequest {
  readonly name: string
}

export class ScopeRun implements Gate {
  readonly #world: World
  readonly #choices: Choices
  readonly #participants: readonly Participant[]
  readonly #faults: readonly ScopeFault[]
  readonly #isReduced: boolean
  readonly #sleeping = new SleepingSteps()
  readonly #images: ServerImages
  #requests: readonly NamedRequest[] = []
  #requestsHeld = 0
  #faultsLeft: number
  /** The server dies before its next answer leaves. */
  #isBreaking = false
  /** The server may have forgotten whom it has to do with: it writes that down when it is greeted. */
  #mayForget = false

  /** Not `isReduced`: also orders and power losses that cannot make a difference. */
  constructor(world: World, scope: SmallScope, choices: Choices, isReduced: boolean) {
    const { actions, faultsMax, faults = CRASHES } = scope
    this.#world = world
    this.#choices = choices
    this.#isReduced = isReduced
    this.#faults = faults
    this.#images = new ServerImages(world)
    this.#faultsLeft = faultsMax
    const fail = (error: unknown): void => world.fail(error)
    this.#participants = devicesOf(scope).map(
      (name, i) => new Participant(world.device(name), actions[i] ?? '', fail),
    )
  }

  holdRequest(request: HeldRequest): void {
    this.#requests = [...this.#requests, { ...request, name: `request ${this.#requestsHeld++}` }]
    if (!this.#isReduced) this.#participantOf(request).changes()
  }

  holdAnswer(answer: HeldAnswer): void {
    if (this.#isBreaking) {
      this.#isBreaking = false
      this.#restart()
      answer.lose()
      return
    }
    const participant = this.#participantOf(answer)
    participant.answer = answer
    if (!this.#isReduced) participant.changes()
  }

  /** False: it was left before its end, because another run is the same but for the order of what commutes. */
  async run(): Promise<boolean> {
    const { network, server, time } = this.#world
    network.gate = this
    for (const participant of this.#participants) {
      participant.device.onFlush = () => this.#deviceFlushes(participant)
    }
    let next: Next
    do {
      await quiet(this.#world)
      server.onFlush = () => {}
      next = (await this.#deviceStep()) ? 'goesOn' : await this.#serverStep()
    } while (next === 'goesOn')
    for (const { device } of this.#participants) device.onFlush = () => {}
    network.gate = undefined
    if (time.nowMs >= HOUSEKEEPING_AFTER_MS) throw new Error('a small scope takes too long')
    return next === 'ends'
  }

  /** The first device that can do something by itself, or can lose its power or its files, does it. */
  async #deviceStep(): Promise<boolean> {
    for (const participant of this.#participants) {
      if (participant.takeChanged() && (await this.#deviceFails(participant))) return true
      const options = this.#deviceOptions(participant)
      if (options.length === 0) continue
      await this.#chooseOf(options)?.take()
      return true
    }
    return false
  }

  async #deviceFails(participant: Participant): Promise<boolean> {
    if (this.#mayFail('device') && this.#chooseFault()) {
      this.#crash(participant)
      return true
    }
    if (!this.#mayFail('deviceRestore')) return false
    const images = participant.earlierImages()
    const image = images[this.#choices.choose(images.length + 1, images.length) - 1]
    if (image === undefined) return false
    this.#faultsLeft--
    await inWorld(this.#world, participant.restore(image))
    this.#forgetRequestsOf(participant)
    return true
  }

  #deviceOptions(participant: Participant): readonly Option[] {
    const { answer, device } = participant
    if (answer === undefined) {
      const isAsking = this.#requests.some(({ process }) => process.name === device.name)
      return (isAsking ? [] : participant.beginnings()).map(option)
    }
    const arrives = (): void => {
      participant.answer = undefined
      answer.deliver()
    }
    const isLost = (): void => {
      this.#faultsLeft--
      participant.answer = undefined
      answer.lose()
    }
    const fault = this.#mayFail('lost') ? [{ take: isLost, isFault: true }] : []
    return [option(arrives), ...participant.edits().map(option), ...fault]
  }

  /** The power may go before the flush ends. */
  #deviceFlushes(participant: Participant): void {
    if (this.#mayFail('device') && participant.takeChanged() && this.#chooseFault()) {
      this.#world.time.after(MID_FLUSH_MS, () => this.#crash(participant))
    }
    participant.changes()
  }

  #crash(participant: Participant): void {
    participant.crash()
    this.#forgetRequestsOf(participant)
  }

  #forgetRequestsOf({ device: { name } }: Participant): void {
    this.#requests = this.#requests.filter(({ process }) => process.name !== name)
  }

  async #serverStep(): Promise<Next> {
    const steps = this.#serverSteps()
    const awake = steps.filter((step) => !this.#isReduced || !this.#sleeping.has(step))
    // Runs without a fault come first; that changes nothing about which step sleeps behind which.
    const faultsLast = [...awake].sort((a, b) => Number(a.isFault) - Number(b.isFault))
    const end = this.#requests.length === 0 ? [undefined] : []
    const options = [...end, ...faultsLast]
    if (options.length === 0) return 'isRedundant'
    const step = this.#chooseOf(options)
    if (step === undefined) return 'ends'
    this.#sleeping.happens(step, awake.slice(0, awake.indexOf(step)))
    if (step.writes) this.#images.changes()
    await step.take()
    return 'goesOn'
  }

  #serverSteps(): readonly ServerStep[] {
    const losses = [
      ...(this.#mayFail('serverRestore') ? this.#restores() : []),
      ...(this.#mayFail('purge') ? [this.#purging()] : []),
    ]
    const answering = this.#requests.map((request) => this.#answering(request, false))
    if (!this.#mayFail('server')) return [...answering, ...losses]
    const breaking = this.#requests.map((request) => this.#answering(request, true))
    const take = (): void => {
      this.#faultsLeft--
      this.#restart()
    }
    const restart = { name: 'restart', actor: 'server', writes: false, isFault: true, take }
    return [restart, ...answering, ...breaking, ...losses]
  }

  #purging(): ServerStep {
    const take = async (): Promise<void> => {
      this.#faultsLeft--
      this.#mayForget = true
      const { server } = this.#world
      server.clockOffsetMs = RETENTION_MS + 1
      await inWorld(this.#world, server.maintain())
    }
    return { name: 'purge', actor: 'server', writes: true, isFault: true, take }
  }

  #restores(): readonly ServerStep[] {
    return this.#images.earlier().map((image, i) => {
      const take = async (): Promise<void> => {
        this.#faultsLeft--
        this.#mayForget = true
        await inWorld(this.#world, this.#images.restore(image))
      }
      return { name: `restore ${i}`, actor: 'server', writes: true, isFault: true, take }
    })
  }

  /** The server gets a request. `breaks`: what it does about it is done, but it dies before it can say so. */
  #answering({ name, process, isPush, deliver }: NamedRequest, breaks: boolean): ServerStep {
    const take = (): void => {
      if (breaks) this.#faultsLeft--
      this.#isBreaking = breaks
      this.#requests = this.#requests.filter((each) => each.name !== name)
      this.#world.server.onFlush = writes ? () => this.#serverFlushes() : () => this.#mayNotWrite()
      deliver()
    }
    const writes = isPush || this.#mayForget
    const kind = breaks ? 'breaks' : 'is answered'
    return { name: `${name} ${kind}`, actor: process.name, writes, isFault: breaks, take }
  }

  /** The power may go before the flush ends. */
  #serverFlushes(): void {
    if (this.#mayFail('server') && this.#chooseFault()) {
      this.#world.time.after(MID_FLUSH_MS, () => this.#restart())
    }
  }

  #mayNotWrite(): void {
    this.#world.fail(new Error('the server wrote something on a request that it only reads for'))
  }

  /** It opens its files at once: to make them ready it writes, which is not to be taken for what a request did. */
  #restart(): void {
    const { server } = this.#world
    loseUnflushed(server)
    server.onFlush = () => this.#serverFlushes()
    server.boot()
    server.open()
  }

  #mayFail(fault: ScopeFault): boolean {
    return this.#faultsLeft > 0 && this.#faults.includes(fault)
  }

  #chooseFault(): boolean {
    const isFault = this.#choices.choose(2, 1) === 1
    if (isFault) this.#faultsLeft--
    return isFault
  }

  /** Faults are the last of them. */
  #chooseOf<T extends Option | undefined>(options: readonly T[]): T | undefined {
    const faults = options.filter((each) => each?.isFault === true)
    return options[this.#choices.choose(options.length, faults.length)]
  }

  #participantOf({ process }: HeldRequest | HeldAnswer): Participant {
    const found = this.#participants.find(({ device }) => device.name === process.name)
    if (found === undefined) throw new RangeError(`${process.name} takes no part`)
    return found
  }
}

function option(take: () => void): Option {
  return { take, isFault: false }
}
