import type { FeedRow } from '../state/engine.ts'

/** A feed operation, said briefly. */
export function feedRow(
  opId: number,
  entityId: string,
  change: Partial<FeedRow> & { readonly transactionId?: number } = {},
): FeedRow {
  return {
    opId,
    collection: 'notes',
    entityId,
    payloadCbor: new Uint8Array([opId]),
    schemaVersion: 1,
    timestampMs: 0,
    origin: 'local',
    transactionId: opId,
    transactionLast: true,
    staleBase: false,
    ...change,
  }
}
