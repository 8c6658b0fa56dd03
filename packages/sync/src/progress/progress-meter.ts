/**
 * What the status shows of long steps. What a cycle could not finish is measured on by the next one, so that it goes on
 * where it was; between the two nothing is shown, for nothing moves.
 */
import type { PullResponse } from '@entidb/protocol'
import type { StateRow } from '../state/rows.ts'
import type { StatusBoard, SyncProgress } from '../status.ts'
import { type PullBounds, PullMeasure } from './pull-measure.ts'
import { PushMeasure } from './push-measure.ts'

export class ProgressMeter {
  readonly #board: Pick<StatusBoard, 'set'>
  #pending = 0
  #isMoving = false
  #pull: PullMeasure | undefined
  /** Other devices' edits may be pulled in the middle of it. */
  #push: PushMeasure | undefined

  constructor(board: Pick<StatusBoard, 'set'>) {
    this.#board = board
  }

  get progress(): SyncProgress | null {
    if (!this.#isMoving) return null
    return this.#pull?.progress ?? this.#push?.progress ?? null
  }

  /** So many edits wait now. Does not tell by itself. */
  look(pending: number): void {
    this.#pending = pending
    this.#push?.look(pending)
  }

  /** A cycle begins, or goes on with what the last one could not finish. */
  begin(): void {
    this.#isMoving = true
    this.#show()
  }

  /** The cycle failed, or was stopped. */
  pause(): void {
    this.#isMoving = false
    this.#show()
  }

  /** The cycle has done everything. */
  end(): void {
    this.#pull = undefined
    this.#push = undefined
    this.pause()
  }

  beginPull(state: StateRow, bounds: PullBounds): void {
    if (this.#pull?.isOf(state) !== true) this.#pull = new PullMeasure(state, bounds)
    this.#pull.expect(state, bounds)
    this.#show()
  }

  pulled(page: PullResponse, state: StateRow, head: number): void {
    this.#pull?.add(page, state, head)
    this.#show()
  }

  endPull(): void {
    this.#pull = undefined
    this.#show()
  }

  beginPush(): void {
    this.#push ??= new PushMeasure(this.#pending)
    this.#show()
  }

  /** The batch that was taken is not the last one. */
  pushGoesOn(): void {
    this.#push?.isLong()
    this.#show()
  }

  #show(): void {
    this.#board.set({ progress: this.progress })
  }
}
