/** What no server takes is not sent: one such operation would refuse the whole request. */
import { isValidCollectionName, type Limits } from '@entidb/protocol'
import type { FeedRow } from '../state/engine.ts'

export interface Refusal {
  readonly code: string
  readonly message: string
}

export function refusalOf(row: FeedRow, limits: Limits): Refusal | undefined {
  if (!isValidCollectionName(row.collection)) {
    return { code: 'invalid_request', message: `Collection ${row.collection} cannot be synced` }
  }
  if ((row.payloadCbor?.length ?? 0) > limits.maxEntityBytes) {
    return {
      code: 'too_large',
      message: `The entity exceeds the server's ${limits.maxEntityBytes} bytes`,
    }
  }
  return undefined
}
