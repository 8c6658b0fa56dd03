import { memoryStorage } from '@entidb/core'
import type { PushResponse } from '@entidb/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  HOUR_MS,
  HousekeepingModel,
  liveStates,
  RETENTION_MS,
  Replica,
} from './housekeeping-model.test-kit.ts'
import { Devices, type Push, pushes } from './push-intents.test-kit.ts'
import { deviceA, deviceB, fates, openTestDatabase, pull, push } from './sync-database.test-kit.ts'
import type { SyncDatabase } from './sync-database.ts'
import { recomputedDigest, storedDigest } from './verify.test-kit.ts'

const READERS = [deviceA, deviceB, 'reader']

interface Pull {
  readonly kind: 'pull'
  readonly device: string
  readonly limit: number
  readonly pages: number
}

type Step =
  | { readonly kind: 'push'; readonly push: Push }
  | Pull
  | { readonly kind: 'wait'; readonly hours: number }
  | { readonly kind: 'housekeep' | 'reopen' }

const pulls: fc.Arbitrary<Pull> = fc.record({
  kind: fc.constant('pull' as const),
  device: fc.constantFrom(...READERS),
  limit: fc.integer({ min: 1, max: 4 }),
  pages: fc.integer({ min: 1, max: 20 }),
})

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: pushes.map((push): Step => ({ kind: 'push', push })) },
    { weight: 5, arbitrary: pulls },
    {
      weight: 4,
      arbitrary: fc
        .constantFrom(1, 30, 130, 260, 260)
        .map((hours): Step => ({ kind: 'wait', hours })),
    },
    { weight: 5, arbitrary: fc.constant<Step>({ kind: 'housekeep' }) },
    { weight: 1, arbitrary: fc.constant<Step>({ kind: 'reopen' }) },
  ),
  { minLength: 10, maxLength: 60, size: 'max' },
)

class Run {
  readonly #storage = memoryStorage()
  readonly #devices = new Devices()
  readonly #replicas = new Map(READERS.map((device) => [device, new Replica()]))
  #opened: { readonly database: SyncDatabase; readonly model: HousekeepingModel } | undefined

  async start(): Promise<void> {
    const database = await this.#open()
    this.#opened = { database, model: new HousekeepingModel(await database.head()) }
  }

  async take(step: Step): Promise<void> {
    const { database, model } = this.#now
    if (step.kind === 'push') await this.#push(step.push)
    else if (step.kind === 'pull') await this.#pull(step)
    else if (step.kind === 'wait') model.nowMs += step.hours * HOUR_MS
    else if (step.kind === 'housekeep') {
      await database.housekeep()
      model.housekeep([...this.#replicas.values()])
      expect((await database.stats()).purgedThrough).toBe(model.purgedThrough)
    } else {
      await database.close()
      this.#opened = { database: await this.#open(), model }
      model.reopen()
      // The server has forgotten that it was under way.
      for (const replica of this.#replicas.values()) replica.resyncPurged = undefined
    }
  }

  /** Everybody pulls to the end, in small pages. */
  async check(): Promise<void> {
    const { database, model } = this.#now
    for (const device of READERS) {
      await this.#pull({ kind: 'pull', device, limit: 3, pages: 1_000 })
      expect(this.#replicas.get(device)?.states).toEqual(liveStates(model.pushes))
    }
    const { ops } = await pull(database)
    expect(
      ops.map(({ entityVersion, entityId, entityCbor }) => ({
        revision: entityVersion,
        entityId,
        bytes: entityCbor === null ? null : Buffer.from(entityCbor).toString('hex'),
      })),
    ).toEqual(model.pushes.oplog)
    expect((await database.stats()).liveEntities).toBe(liveStates(model.pushes).size)
    await database.close()
    expect(await storedDigest(this.#storage)).toEqual(await recomputedDigest(this.#storage))
  }

  get #now(): { readonly database: SyncDatabase; readonly model: HousekeepingModel } {
    if (this.#opened === undefined) throw new Error('not started')
    return this.#opened
  }

  #open(): Promise<SyncDatabase> {
    const clock = (): number => this.#opened?.model.nowMs ?? 0
    return openTestDatabase({ storage: this.#storage, clock, retentionMs: RETENTION_MS })
  }

  async #push(intent: Push): Promise<void> {
    const { database, model } = this.#now
    const ops = this.#devices.next(intent, model.pushes)
    const answer = await push(database, ops, { deviceId: intent.device }).catch(
      (error: unknown) => error,
    )
    const expected = model.push(intent.device, ops)
    if (expected === 'op_id_reused') expect(answer).toMatchObject({ code: expected })
    else {
      expect(answer).toMatchObject({
        head: model.pushes.head,
        purgedThrough: model.purgedThrough,
      })
      // Not an error, as the line before has shown.
      expect(fates(answer as PushResponse)).toEqual(expected)
    }
  }

  async #pull({ device, limit, pages }: Pull): Promise<void> {
    const { database, model } = this.#now
    const replica = this.#replicas.get(device) ?? new Replica()
    for (let page = 0; page < pages; page++) {
      const sinceCursor = replica.cursor
      const isExpired = model.isExpired(replica)
      const answer = pull(database, { deviceId: device, limit, sinceCursor })
      if (isExpired) {
        await expect(answer).rejects.toMatchObject({ code: 'cursor_expired' })
        replica.cursor = 0
        continue
      }
      const { ops, nextCursor, hasMore } = await answer
      model.see(device, sinceCursor)
      expect(hasMore).toBe(nextCursor < model.pushes.head)
      replica.apply(ops, nextCursor, model)
      if (!hasMore) return
    }
  }
}

describe('housekeeping against a naive model', () => {
  test('random pushes, pulls, waits, restarts and rounds of housekeeping -> the same answers, replicas that agree, true digests', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const run = new Run()
        await run.start()
        for (const step of taken) await run.take(step)
        await run.check()
      }),
      // On a busy machine fewer runs are better than none.
      { numRuns: 60, interruptAfterTimeLimit: 20_000 },
    )
  })
})
