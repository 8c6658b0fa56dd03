/** A device of a small scope, and what is still to happen on it. */
import { randomFor } from '../kernel/random-streams.ts'
import type { HeldAnswer } from '../network/network.ts'
import type { DeviceImage, SimulatedDevice } from '../world/device.ts'
import { loseUnflushed } from '../world/lose-unflushed.ts'
import { syncOf } from './quiet-world.ts'

export class Participant {
  readonly device: SimulatedDevice
  readonly #action: string
  readonly #fail: (error: unknown) => void
  #hasEdited = false
  #sync: 'toCome' | 'underWay' | 'over' = 'toCome'
  /**
   * What a power loss would leave, and what this device has still to do, is something else than when it could have
   * come last.
   */
  #hasChanged = true
  readonly #images: DeviceImage[] = []
  /** On its way to it. */
  answer: HeldAnswer | undefined

  /** `fail` is told what goes wrong beside the events. */
  constructor(device: SimulatedDevice, action: string, fail: (error: unknown) => void) {
    this.device = device
    this.#action = action
    this.#fail = fail
  }

  /** What it may do by itself while none of its messages is under way. */
  beginnings(): readonly (() => void)[] {
    return [
      ...(this.#sync === 'toCome' ? [() => this.#beginSync()] : []),
      ...(this.#hasEdited ? [] : [() => this.#edit()]),
    ]
  }

  /** What may come before its answer arrives. */
  edits(): readonly (() => void)[] {
    return this.#hasEdited ? [] : [() => this.#edit()]
  }

  /** Something that outlives a power loss: its disk has it, the server has it, or it need not be done again. */
  changes(): void {
    this.#hasChanged = true
  }

  /** Whether to try a power loss now: one that comes later, with nothing changed, would be the same. */
  takeChanged(): boolean {
    const hasChanged = this.#hasChanged
    this.#hasChanged = false
    return hasChanged
  }

  /** Copies of its files from before what it has now, of which a copy is made too. */
  earlierImages(): readonly DeviceImage[] {
    this.#images.push(this.device.image())
    return this.#images.slice(0, -1)
  }

  /** With the power. It comes back, and syncs again what it was at. */
  crash(): void {
    loseUnflushed(this.device)
    this.#beginAgain()
  }

  /** As after a power loss, but with these files. What it did since is not done again. */
  async restore(image: DeviceImage): Promise<void> {
    await this.device.restore(image)
    this.#beginAgain()
  }

  #beginAgain(): void {
    this.answer = undefined
    if (this.#sync === 'underWay') this.#sync = 'toCome'
    this.#do(this.device.boot())
  }

  #edit(): void {
    this.#hasEdited = true
    const { device } = this
    this.#do(device.actBy(this.#action, randomFor(1, device.name), device.name))
  }

  #beginSync(): void {
    this.#sync = 'underWay'
    const ended = syncOf(this.device).then(() => {
      this.#sync = 'over'
      this.changes()
    })
    this.#do(ended)
  }

  #do(work: Promise<unknown>): void {
    work.catch(this.#fail)
  }
}
