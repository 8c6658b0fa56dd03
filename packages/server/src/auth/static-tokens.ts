/** Tokens listed in the configuration: for tests, single users and machines. */

import { createHash, timingSafeEqual } from 'node:crypto'
import { assertOptions } from '@entidb/core'
import { isValidClientDeviceId, isValidDbId } from '@entidb/protocol'
import { isSendableToken } from './bearer-token.ts'
import type { Access, Authenticator, Identity } from './identity.ts'

/** What a listed token may do. */
export interface StaticToken {
  readonly subject: string
  readonly databases: readonly string[] | '*'
  readonly access: Access
  /** Set: the only deviceId that may be used with this token. */
  readonly deviceId?: string
}

/**
 * Accepts exactly the tokens given. They are kept as hashes only, and compared in constant time.
 * An entry that cannot work is a `TypeError`.
 *
 * @example
 * staticTokens({ [process.env.TOKEN]: { subject: 'till-1', databases: ['shop'], access: 'write' } })
 */
export function staticTokens(tokens: Readonly<Record<string, StaticToken>>): Authenticator {
  const entries = Object.entries(tokens).map(([token, entry]) => {
    assertEntry(token, entry)
    const { subject, databases, access, deviceId } = entry
    const identity: Identity = {
      subject,
      databases: databases === '*' ? '*' : [...databases],
      access,
      ...(deviceId === undefined ? {} : { deviceId }),
    }
    return { hash: hashOf(token), identity }
  })
  return {
    async authenticate(token) {
      const hash = hashOf(token)
      let found: Identity | undefined
      for (const entry of entries) if (timingSafeEqual(entry.hash, hash)) found = entry.identity
      return found
    },
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function assertEntry(token: string, entry: StaticToken): void {
  assertOptions('A token', entry, ['subject', 'databases', 'access', 'deviceId'])
  const { subject, databases, access, deviceId } = entry
  if (!isSendableToken(token)) {
    throw new TypeError(
      'A token must be non-empty text of A-Z a-z 0-9 - . _ ~ + / and = at its end',
    )
  }
  if (typeof subject !== 'string' || subject === '') {
    throw new TypeError('A token needs a subject')
  }
  if (databases !== '*' && !(Array.isArray(databases) && databases.every(isValidDbId))) {
    throw new TypeError(`databases of ${subject} must be '*' or a list of dbIds`)
  }
  if (access !== 'read' && access !== 'write') {
    throw new TypeError(`access of ${subject} must be 'read' or 'write'`)
  }
  if (deviceId !== undefined && !isValidClientDeviceId(deviceId)) {
    throw new TypeError(`deviceId of ${subject} is not a deviceId`)
  }
}
