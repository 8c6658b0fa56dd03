/** How far an import is: for the user while it runs, and when it fails. */
import { EntiDBError, isEntiDBError } from '@entidb/core'
import { Stopped } from '../../cli/stopped.ts'
import type { ProgressReport } from '../../output/reporter.ts'
import { formatCount } from '../../output/units.ts'
import { INPUT_START, type InputPosition } from '../input/input-record.ts'
import type { ImportSource } from './import-source.ts'

export class ImportWatch {
  readonly #source: ImportSource
  readonly #progress: ProgressReport
  readonly #now: () => number
  readonly #startedMs: number
  #start: InputPosition | undefined
  #done = INPUT_START

  constructor(source: ImportSource, progress: ProgressReport, now: () => number) {
    this.#source = source
    this.#progress = progress
    this.#now = now
    this.#startedMs = now()
  }

  readonly onProgress = (done: InputPosition): void => {
    this.#start ??= done
    this.#done = done
    const seconds = (this.#now() - this.#startedMs) / 1000
    const rate = seconds > 0 ? (done.records - this.#start.records) / seconds : 0
    const detail = `${formatCount(done.records)} records, ${formatCount(rate)}/s`
    this.#progress.update(done.bytes, this.#source.bytes ?? done.bytes, detail)
  }

  /** An error of `work` tells what was done before it, and how to go on. */
  async telling<T>(isDryRun: boolean, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw isDryRun || this.#done.records === 0 ? error : this.#partly(error)
    }
  }

  #partly(error: unknown): unknown {
    const { records, bytes } = this.#done
    const more = `\n${formatCount(records)} records, the first ${formatCount(bytes)} bytes, are imported; run the same command again to go on from there`
    if (error instanceof Stopped) return new Stopped(error.message + more)
    if (!isEntiDBError(error)) return error
    return new EntiDBError(error.code, error.message + more, {
      cause: error,
      details: { ...error.details, imported: { records, bytes } },
      retry: error.retry,
    })
  }
}
