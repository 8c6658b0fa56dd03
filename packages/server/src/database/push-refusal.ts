/** Why a pushed operation may not be done at all, whatever its base. */
import { decodeEntity } from '@entidb/core/cbor'
import type { SyncOperation } from '@entidb/protocol'
import type { ServerLimits } from '../limits.ts'
import type { EntityRow } from './collections.ts'
import { entityProblem } from './entity-check.ts'
import type { Permissions } from './permissions.ts'
import type { Policy, Refusal } from './policy.ts'

export interface RefusalRules {
  readonly limits: ServerLimits
  readonly policy: Policy
  readonly permissions: Permissions
}

const FORBIDDEN: Refusal = {
  code: 'forbidden',
  message: 'The token does not allow writing this entity',
}

/**
 * Rules on names come first, so that an operation on a hidden entity is answered alike whatever it
 * holds and whether the entity exists.
 */
export function refusalOf(
  operation: SyncOperation,
  current: EntityRow | undefined,
  rules: RefusalRules,
): Refusal | undefined {
  const { permissions, limits, policy } = rules
  if (!permissions.mayWrite(operation.collection, operation.entityId)) return FORBIDDEN
  const problem = entityProblem(operation, limits)
  if (problem !== undefined || policy.validate === undefined) return problem
  const refusal = policy.validate(
    { operation, entity: () => decoded(operation.entityCbor) },
    {
      entityVersion: current?.entityVersion ?? 0,
      entityCbor: current?.entityCbor ?? null,
      entity: () => decoded(current?.entityCbor ?? null),
    },
    permissions.identity,
  )
  if (refusal === undefined || refusal === null) return undefined
  if (typeof refusal.code === 'string' && typeof refusal.message === 'string') return refusal
  // A promise, of a policy that is asynchronous, would refuse everything.
  throw new TypeError('validate must answer { code, message }, or nothing')
}

function decoded(bytes: Uint8Array | null): unknown {
  return bytes === null ? null : decodeEntity(bytes)
}
