import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Devices, pushes } from './push-intents.test-kit.ts'
import { PushModel } from './push-model.test-kit.ts'
import { fates, openTestDatabase, pull, push } from './sync-database.test-kit.ts'

describe('push against a naive model', () => {
  test('random pushes with repeats, stale bases, groups and unsound entities -> the same fates, oplog and states', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(pushes, { maxLength: 25 }), async (run) => {
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
