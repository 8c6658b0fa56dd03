/** The claims that say what a token opens, unless the configuration reads others. */
import { isValidClientDeviceId, isValidDbId } from '@entidb/protocol'
import type { JWTPayload } from 'jose'
import type { Identity } from './identity.ts'

/** Undefined when a claim is missing or not what it must be: nothing is granted by default. */
export function identityOfClaims(claims: JWTPayload): Identity | undefined {
  const { sub: subject, databases, access, deviceId } = claims
  if (typeof subject !== 'string' || subject === '') return undefined
  if (access !== 'read' && access !== 'write') return undefined
  const opened = databasesOf(databases)
  if (opened === undefined) return undefined
  if (deviceId === undefined) return { subject, databases: opened, access }
  return isValidClientDeviceId(deviceId)
    ? { subject, databases: opened, access, deviceId }
    : undefined
}

function databasesOf(claim: unknown): readonly string[] | '*' | undefined {
  if (claim === '*') return claim
  return Array.isArray(claim) && claim.every(isValidDbId) ? claim : undefined
}
