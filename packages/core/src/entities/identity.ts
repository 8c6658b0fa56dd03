/** Identity of a database file: made once, at random, and kept in it. */
import { assertInvariant } from '../errors/assert.ts'
import type { WriteTransaction } from '../store/key-value-store.ts'
import { META_KEYS, writeMeta } from './meta.ts'
import type { DatabaseIdentity } from './replication.ts'
import type { Steps } from './steps.ts'

/** Gives so many random bytes. */
export type RandomBytes = (length: number) => Uint8Array

const IDENTITY_BYTES = 16

/** The identity that is stored; a new one, and stored, for a new file. */
export function* openIdentity(
  tx: WriteTransaction,
  stored: unknown,
  randomBytes: RandomBytes,
): Steps<DatabaseIdentity> {
  if (stored !== undefined) return parseIdentity(stored)
  const identity = {
    databaseId: toHex(randomBytes(IDENTITY_BYTES)),
    deviceId: toHex(randomBytes(IDENTITY_BYTES)),
    replicaId: randomBytes(IDENTITY_BYTES),
  }
  yield* writeMeta(tx, META_KEYS.identity, identity)
  return identity
}

export function parseIdentity(stored: unknown): DatabaseIdentity {
  // Written by `openIdentity`; the assertion guards against another writer.
  const identity = stored as DatabaseIdentity
  assertInvariant(
    typeof identity.databaseId === 'string' &&
      typeof identity.deviceId === 'string' &&
      identity.replicaId instanceof Uint8Array,
    'the stored identity is complete',
  )
  return identity
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The host's source of random bytes. */
export function hostRandomBytes(length: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(length))
}
