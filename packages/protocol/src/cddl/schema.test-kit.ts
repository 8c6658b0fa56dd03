/** The protocol's CDDL, and which of its rules describes which message. */
import { readFileSync } from 'node:fs'
import type { MessageName } from '../message-codecs.test-kit.ts'
import type { CddlSchema } from './ast.test-kit.ts'
import { parseCddl } from './parser.test-kit.ts'

export const RULES: Readonly<Record<MessageName, string>> = {
  ErrorResponse: 'error-response',
  HandshakeRequest: 'handshake-request',
  HandshakeResponse: 'handshake-response',
  PackedPullResponse: 'packed-pull-response',
  PullRequest: 'pull-request',
  PullResponse: 'pull-response',
  PushRequest: 'push-request',
  PushResponse: 'push-response',
  SyncOperation: 'operation',
  VerifyRequest: 'verify-request',
  VerifyResponse: 'verify-response',
}

export function schemaOfProtocol(): CddlSchema {
  return parseCddl(readFileSync(new URL('../../cddl/protocol.cddl', import.meta.url), 'utf8'))
}
