/**
 * A disk that is full from some write on, each in its turn. Whoever asked for space is told
 * `disk_full` and nothing of it is applied; reads go on; with room again the same step succeeds. A disk
 * on which even what is overwritten needs space may make the store fail until it is reopened.
 */
import { strict as assert } from 'node:assert'
import { EntiDBError, isEntiDBError } from '../../errors/entidb-error.ts'
import { readStore } from '../format-reader/read-store.test-kit.ts'
import { DATA } from '../format-reader/superblock.test-kit.ts'
import type { KeyValueStore } from '../key-value-store.ts'
import { Random } from '../random.ts'
import type { MountOptions } from '../simulated-mount.ts'
import { powerLosses } from './power-losses.test-kit.ts'
import { expectPromiseKept } from './promise.test-kit.ts'
import { at, withReplay } from './replay.test-kit.ts'
import { type Change, ScriptedRun } from './scripted-run.test-kit.ts'
import { smallSettings } from './small-files.test-kit.ts'

export interface FullDisk {
  readonly needsSpace: 'what grows' | 'every write'
  /** How many attempts of steps fail before there is room again. */
  readonly patience: number
  readonly isAsynchronous: boolean
  /** Repeats it, with the number of the write before it. */
  readonly command: string
  readonly only?: number
}

type Step = 'open' | 'close' | 'checkpoint' | Change

const value =
  (key: string, length: number): Change =>
  (edits) =>
    edits.put('a', key, new Uint8Array(length).fill(length % 251))

const steps: readonly Step[] = [
  'open',
  value('first', 10),
  value('larger than what the log has', 900),
  'checkpoint',
  value('first', 20),
  (edits) => edits.clear('a'),
  value('second', 400),
  'checkpoint',
  value('second', 500),
  'close',
  'open',
  value('third', 30),
  'close',
]

/** The answer is how many writes were the first for which there was no space. */
export async function fillDiskEverywhere(full: FullDisk): Promise<number> {
  for (const fullAt of at(full.only)) {
    const wasFull = await withReplay(fullAt, full.command, () => fillDiskAt(fullAt, full))
    if (!wasFull) return fullAt - 1
  }
  return 0
}

async function fillDiskAt(fullAt: number, full: FullDisk): Promise<boolean> {
  const space = new Space(fullAt, full.needsSpace)
  const { failure } = space
  const { isAsynchronous } = full
  const run = new ScriptedRun(fullAt, smallSettings(1), { failure, isAsynchronous })
  const label = `disk full for ${full.needsSpace} from write ${fullAt} on`
  const walk = new Walk(run, space, full, label)
  for (const [index, step] of steps.entries()) await walk.step(index, step)
  assert.equal(run.acknowledged, run.issued, `${label}: commits`)
  await expectPromiseKept(run.disk.image(), run, smallSettings(2), label)
  return space.wasFull
}

class Space {
  wasFull = false
  readonly #fullAt: number
  readonly #needsSpace: FullDisk['needsSpace']
  #asked = 0
  #hasRoom = false

  constructor(fullAt: number, needsSpace: FullDisk['needsSpace']) {
    this.#fullAt = fullAt
    this.#needsSpace = needsSpace
  }

  makeRoom(): void {
    this.#hasRoom = true
  }

  readonly failure: NonNullable<MountOptions['failure']> = (operation, file, _count, growth) => {
    const asks = growth > 0 || (operation === 'write' && this.#needsSpace === 'every write')
    if (!asks) return undefined
    this.#asked++
    if (this.#hasRoom || this.#asked < this.#fullAt) return undefined
    this.wasFull = true
    const details = { file, operation }
    return new EntiDBError('disk_full', 'simulated', { details, retry: 'later' })
  }
}

class Walk {
  readonly #run: ScriptedRun
  readonly #space: Space
  readonly #full: FullDisk
  readonly #label: string
  #store: KeyValueStore | undefined
  #patience: number

  constructor(run: ScriptedRun, space: Space, full: FullDisk, label: string) {
    this.#run = run
    this.#space = space
    this.#full = full
    this.#label = label
    this.#patience = full.patience
  }

  async step(index: number, step: Step): Promise<void> {
    for (;;) {
      const what = typeof step === 'string' ? step : 'commit'
      const label = `${this.#label}, step ${index} (${what})`
      const error = await this.#attempt(step)
      await this.#expectReadable(label)
      if (error === undefined) return
      this.#assertClear(error, label)
      await this.#expectKept(label, error.code === 'disk_full')
      this.#patience--
      if (this.#patience <= 0) this.#space.makeRoom()
      // Whatever came of it, it is closed.
      if (step === 'close') return
      if (error.code !== 'disk_full') await this.#reopen()
    }
  }

  async #attempt(step: Step): Promise<EntiDBError | undefined> {
    try {
      if (step === 'open') this.#store = await this.#run.open()
      else if (step === 'close') await this.#close()
      else if (step === 'checkpoint') await this.#store?.checkpoint()
      else if (this.#store !== undefined) await this.#run.commit(this.#store, step)
      return undefined
    } catch (error) {
      if (isEntiDBError(error)) return error
      throw error
    }
  }

  async #close(): Promise<void> {
    const store = this.#store
    this.#store = undefined
    await store?.close()
  }

  #assertClear({ code, retry, details, message }: EntiDBError, label: string): void {
    const said = `${label}: ${code} ${message}`
    assert(this.#space.wasFull, said)
    if (this.#full.needsSpace === 'what grows') assert.equal(code, 'disk_full', said)
    assert(['disk_full', 'io_failed', 'database_failed'].includes(code), said)
    assert.equal(retry, code === 'disk_full' ? 'later' : 'after-reopen', said)
    if (code === 'disk_full') assert.equal(typeof details.file, 'string', said)
  }

  async #expectReadable(label: string): Promise<void> {
    if (this.#store !== undefined) await this.#run.expectLatest(this.#store, label)
  }

  /** What is refused for lack of space is taken back. */
  async #expectKept(label: string, isRefused: boolean): Promise<void> {
    const { disk } = this.#run
    const random = new Random(1)
    const image = disk.image()
    if (isRefused && image.has(DATA)) {
      assert.equal(readStore(image).cut, undefined, `${label}: a part of the commit is left`)
    }
    for (const files of [image, ...powerLosses(disk, random, 1)]) {
      await expectPromiseKept(files, this.#run, smallSettings(2), label)
    }
  }

  /** The commit whose fate was not known may be there. */
  async #reopen(): Promise<void> {
    await this.#close().catch(() => {})
    this.#space.makeRoom()
    this.#store = await this.#run.open()
    this.#run.settle(this.#store.recovery.lastLsn)
  }
}
