/** The operations of a push that are new, each with what its entity is now and with what speaks against it. */
import type { SyncOperation } from '@entidb/protocol'
import { digestOfRow } from './collection-totals.ts'
import { type EntityRow, entityKey, type ServerReader } from './collections.ts'
import type { Candidate } from './push-decision.ts'
import { type RefusalRules, refusalOf } from './push-refusal.ts'

export interface FreshOperation {
  readonly operation: SyncOperation
  readonly contentHash: Uint8Array
}

/** Entities whose bytes are in memory at a time. */
const ENTITIES_MAX = 64

export async function readCandidates(
  reader: ServerReader,
  fresh: readonly FreshOperation[],
  rules: RefusalRules,
): Promise<Candidate[]> {
  const candidates: Candidate[] = []
  for (let from = 0; from < fresh.length; from += ENTITIES_MAX) {
    const some = fresh.slice(from, from + ENTITIES_MAX)
    const rows = await readEntities(reader, some)
    for (const [index, each] of some.entries()) {
      candidates.push(candidateOf(each, rows[index], rules))
    }
  }
  return candidates
}

/** In the order of the operations. */
export function readEntities(
  reader: ServerReader,
  operations: readonly Pick<FreshOperation, 'operation'>[],
): Promise<readonly (Readonly<EntityRow> | undefined)[]> {
  const keys = operations.map(({ operation }) =>
    entityKey(operation.collection, operation.entityId),
  )
  return reader.collection('entities').getMany(keys)
}

function candidateOf(
  { operation, contentHash }: FreshOperation,
  row: EntityRow | undefined,
  rules: RefusalRules,
): Candidate {
  return {
    operation,
    contentHash,
    current:
      row === undefined
        ? undefined
        : {
            entityVersion: row.entityVersion,
            bytes: row.entityCbor?.length ?? 0,
            digest: replacedDigest(operation, row),
          },
    changesNothing: changesNothing(operation, row),
    refusal: refusalOf(operation, row, rules),
  }
}

function replacedDigest(operation: SyncOperation, row: EntityRow): Uint8Array | undefined {
  return operation.entityVersion === row.entityVersion ? digestOfRow(row) : undefined
}

function changesNothing(operation: SyncOperation, row: EntityRow | undefined): boolean {
  const { entityCbor, schemaVersion = 1 } = operation
  const stored = row?.entityCbor ?? null
  if (entityCbor === null || stored === null) return entityCbor === stored
  return schemaVersion === row?.schemaVersion && Buffer.compare(entityCbor, stored) === 0
}
