/** Is what a PUT carries an entity that every device can store? */
import { isEntiDBError } from '@entidb/core'
import { assertDeterministicEntity, readEntityId } from '@entidb/core/cbor'
import type { SyncOperation } from '@entidb/protocol'
import type { Refusal } from './policy.ts'

export interface EntityBounds {
  readonly maxEntityBytes: number
  readonly maxDepth: number
}

/** Undefined for a sound operation; a delete carries nothing that could be wrong. */
export function entityProblem(operation: SyncOperation, bounds: EntityBounds): Refusal | undefined {
  const bytes = operation.entityCbor
  if (bytes === null) return undefined
  if (bytes.length > bounds.maxEntityBytes) {
    return {
      code: 'too_large',
      message: `The entity exceeds the limit of ${bounds.maxEntityBytes} bytes`,
    }
  }
  try {
    assertDeterministicEntity(bytes, {
      depthMax: bounds.maxDepth,
      bytesMax: bounds.maxEntityBytes,
    })
    if (readEntityId(bytes) === operation.entityId) return undefined
    return invalidEntity('its id is not the entityId of the operation')
  } catch (error) {
    if (!isEntiDBError(error, 'invalid_cbor')) throw error
    const { reason } = error.details
    return invalidEntity(typeof reason === 'string' ? reason.replaceAll('_', ' ') : 'bad CBOR')
  }
}

function invalidEntity(why: string): Refusal {
  return {
    code: 'invalid_entity',
    message: `entityCbor is not an entity in deterministic CBOR: ${why}`,
  }
}
