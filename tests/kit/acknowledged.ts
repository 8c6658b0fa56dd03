/** What devices reported as acknowledged, and whether it is all still there. */

import { decodeEntity } from '@entidb/core/cbor'
import type { SyncOperation } from '@entidb/protocol'

/** The writes that `device-child.mjs` acknowledged in its lines. */
export interface Acknowledged {
  readonly loaded: readonly (readonly [from: number, to: number])[]
  readonly counterById: ReadonlyMap<string, number>
}

export function acknowledgedOf(lines: readonly string[]): Acknowledged {
  const loaded: [number, number][] = []
  const counterById = new Map<string, number>()
  for (const line of lines) {
    const [kind, first = '', second = ''] = line.split(' ')
    if (kind === 'loaded') loaded.push([Number(first), Number(second)])
    if (kind === 'edited') counterById.set(first, Number(second))
  }
  return { loaded, counterById }
}

/** Sentences, one for each acknowledged write that the server's operations do not show. */
export function missingWrites(
  acknowledged: Acknowledged,
  operations: readonly SyncOperation[],
): string[] {
  const counters = new Map<string, number>()
  for (const op of operations) {
    if (op.collection === 'cities' && op.entityCbor !== null) {
      counters.set(op.entityId, counterOf(op.entityCbor))
    }
  }
  const missing: string[] = []
  for (const [from, to] of acknowledged.loaded) {
    for (let i = from; i < to; i++) {
      if (!counters.has(`city-${i}`)) missing.push(`city-${i} was loaded and is gone`)
    }
  }
  for (const [id, counter] of acknowledged.counterById) {
    const found = counters.get(id) ?? -1
    if (found < counter) missing.push(`${id} was edited to ${counter} and is at ${found}`)
  }
  return missing
}

function counterOf(bytes: Uint8Array): number {
  const entity = decodeEntity(bytes)
  if (typeof entity !== 'object' || entity === null || !('counter' in entity)) return -1
  return Number(entity.counter)
}
