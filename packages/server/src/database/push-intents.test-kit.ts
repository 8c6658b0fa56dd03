/** Random pushes of two devices, before the state of a run gives them opIds and bases. */
import type { SyncOperation } from '@entidb/protocol'
import fc from 'fast-check'
import type { PushModel } from './push-model.test-kit.ts'
import { deviceA, deviceB, put, remove, unsoundBytes } from './sync-database.test-kit.ts'

/** An operation before the state of the run gives it an opId and a base. */
export interface Intent {
  readonly entity: number
  readonly value: 'a' | 'b' | 'delete' | 'unsound'
  readonly base: 'current' | 'older' | 'zero'
  readonly tx: 0 | 1 | undefined
  /** How far its opId is from the one before. */
  readonly gap: number
}

export interface Push {
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

export const pushes: fc.Arbitrary<Push> = fc.record<Push>({
  device: fc.constantFrom(deviceA, deviceB),
  intents,
  opIds: often('new', 6, 'again', 'back'),
})

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
export class Devices {
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
