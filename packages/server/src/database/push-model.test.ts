import type { SyncOperation } from '@entidb/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PushModel } from './push-model.test-kit.ts'
import {
  deviceA,
  deviceB,
  fates,
  openTestDatabase,
  pull,
  push,
  put,
  remove,
  unsoundBytes,
} from './sync-database.test-kit.ts'

/** An operation before the state of the run gives it an opId and a base. */
interface Intent {
  readonly entity: number
  readonly value: 'a' | 'b' | 'delete' | 'unsound'
  readonly base: 'current' | 'older' | 'zero'
  readonly tx: 0 | 1 | undefined
  /** How far its opId is from the one before. */
  readonly gap: number
}

interface Push {
  readonly device: string
  readonly intents: readonly Intent[]
  /** The same request again, one with opIds that were used before, or a new one. */
  readonly opIds: 'new' | 'again' | 'back'
}

const often = <T>(usual: T, weight: number, ...others: T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { arbitrary: fc.constant(usual), weight },
    ...others.map((other) => ({ arbitrary: fc.constant(other), weight: 1 })),
  )

const intents: fc.Arbitrary<Intent[]> = fc.uniqueArray(
  fc.record<Intent>({
    entity: fc.nat(4),
    value: fc.constantFrom('a', 'b', 'a', 'b', 'delete', 'unsound'),
    base: often('current', 6, 'older', 'zero'),
    tx: fc.constantFrom(undefined, 0, 1),
    gap: fc.integer({ min: 1, max: 3 }),
  }),
  { selector: ({ entity }) => entity, maxLength: 5 },
)

const pushes: fc.Arbitrary<Push[]> = fc.array(
  fc.record<Push>({
    device: fc.constantFrom(deviceA, deviceB),
    intents,
    opIds: often('new', 6, 'again', 'back'),
  }),
  { maxLength: 25 },
)

function operationOf(
  intent: Intent,
  opId: number,
  model: PushModel,
  device: string,
): SyncOperation {
  const entityId = `e${intent.entity}`
  const current = model.states.get(entityId)?.revision ?? 0
  const base = { current, older: Math.max(0, current - 1), zero: 0 }[intent.base]
  const extras = { deviceId: device, ...(intent.tx === undefined ? {} : { tx: intent.tx }) }
  if (intent.value === 'delete') return remove(opId, entityId, base, extras)
  const operation = put(opId, entityId, base, intent.value, extras)
  return intent.value === 'unsound' ? { ...operation, entityCbor: unsoundBytes } : operation
}

/** What one run sends, from what it sent before. */
class Devices {
  readonly #last = new Map<string, readonly SyncOperation[]>()
  readonly #opIds = new Map<string, number>()

  next({ device, intents: wanted, opIds }: Push, model: PushModel): readonly SyncOperation[] {
    if (opIds === 'again') return this.#last.get(device) ?? []
    const used = this.#opIds.get(device) ?? 0
    let opId = opIds === 'back' ? Math.max(0, used - 5) : used
    const ops = wanted.map((intent) => {
      opId += intent.gap
      return operationOf(intent, opId, model, device)
    })
    this.#opIds.set(device, Math.max(used, opId))
    this.#last.set(device, ops)
    return ops
  }
}

describe('push against a naive model', () => {
  test('random pushes with repeats, stale bases, groups and unsound entities -> the same fates, oplog and states', async () => {
    await fc.assert(
      fc.asyncProperty(pushes, async (run) => {
        const database = await openTestDatabase()
        const model = new PushModel(await database.head())
        const devices = new Devices()
        for (const step of run) {
          const ops = devices.next(step, model)
          const expected = model.push(ops)
          const answer = await push(database, ops, { deviceId: step.device }).catch(
            (error: unknown) => error,
          )
          if (expected === 'op_id_reused') expect(answer).toMatchObject({ code: expected })
          else {
            expect(answer).toMatchObject({ head: model.head })
            // Not an error, as the line before has shown.
            expect(fates(answer as Parameters<typeof fates>[0])).toEqual(expected)
          }
        }
        const { ops } = await pull(database)
        expect(
          ops.map(({ entityVersion, entityId, entityCbor }) => ({
            revision: entityVersion,
            entityId,
            bytes: entityCbor === null ? null : Buffer.from(entityCbor).toString('hex'),
          })),
        ).toEqual(model.oplog)
        const live = [...model.states.values()].filter(({ bytes }) => bytes !== null).length
        expect((await database.stats()).liveEntities).toBe(live)
        await database.close()
      }),
      { numRuns: 150 },
    )
  })
})
