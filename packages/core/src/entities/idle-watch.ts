/**
 * Ends a transaction that does nothing while others wait for it: most likely its callback waits, directly
 * or not, for one of those others, and neither would ever go on.
 */
import { EntiDBError } from '../errors/entidb-error.ts'
import type { Scheduler } from '../store/scheduler.ts'
import type { WriteSession } from './write-session.ts'

interface Guarded {
  readonly session: WriteSession
  readonly begun: Error
  readonly abandon: (error: Error) => void
}

export class IdleWatch {
  readonly #idleMsMax: number
  readonly #scheduler: Scheduler
  #waiting = 0
  #current: Guarded | undefined
  #cancel: (() => void) | undefined

  constructor(idleMsMax: number, scheduler: Scheduler) {
    this.#idleMsMax = idleMsMax
    this.#scheduler = scheduler
  }

  /** `turn` resolves when it is this writer's turn. */
  async whileWaiting<T>(turn: Promise<T>): Promise<T> {
    this.#waiting++
    this.#arm()
    try {
      return await turn
    } finally {
      this.#waiting--
    }
  }

  /**
   * Runs a callback that may take its time; ends it with `transaction_abandoned` if it has to, which has `begun`
   * as its cause: an error made where the transaction was begun.
   */
  async guard<R>(session: WriteSession, begun: Error, run: () => R | Promise<R>): Promise<R> {
    const result = run()
    if (!(result instanceof Promise)) return result
    const abandoned = new Promise<never>((_, reject) => {
      this.#current = { session, begun, abandon: reject }
      this.#arm()
    })
    try {
      return await Promise.race([result, abandoned])
    } finally {
      this.#current = undefined
      this.#cancel?.()
      this.#cancel = undefined
    }
  }

  #arm(): void {
    const current = this.#current
    if (current === undefined || this.#waiting === 0 || this.#cancel !== undefined) return
    const { stepsBegun } = current.session
    this.#cancel = this.#scheduler.after(this.#idleMsMax, () => {
      this.#cancel = undefined
      const { session, begun } = current
      const isIdle = session.stepsBegun === stepsBegun && !session.isBusy
      if (this.#current !== current || !isIdle || this.#waiting === 0) this.#arm()
      else current.abandon(transactionAbandoned(this.#idleMsMax, begun))
    })
  }
}

function transactionAbandoned(idleMsMax: number, begun: Error): EntiDBError {
  return new EntiDBError(
    'transaction_abandoned',
    `The transaction did nothing for ${idleMsMax} ms while others waited, and was rolled back. Inside its callback use tx, never the database itself, and wait for nothing slow. Its cause says where it was begun.`,
    { details: { idleMsMax }, cause: begun },
  )
}
