/**
 * Ways to find the entities of a query: each index (`index-path.ts`), and the ids themselves (`id-path.ts`),
 * gives the stretches of keys that the conditions leave, which conditions those answer for good, and whether
 * entities come in the order asked for.
 */
import { idKeyOf } from './entity-id.ts'
import { entryKey, type IndexPlan } from './index-plan.ts'
import {
  encodeAfter,
  intersect,
  isEmpty,
  type KeyInterval,
  NO_BYTES,
  successor,
  valuesInterval,
} from './key-interval.ts'
import type { OrderField } from './parsed-query.ts'
import type { ParsedCondition } from './parsed-where.ts'

/** One of the stretches of an access path. Together they are in the order of their keys, and do not overlap. */
export interface Stretch extends KeyInterval {
  /** What all its keys begin with: the fields that conditions fix to one value. */
  readonly prefix: Uint8Array
  /** Where it is not that of the path. */
  readonly order?: ScanOrder
}

export type ScanOrder =
  /** As the keys lie. */
  | 'forward'
  /** From the last key to the first. */
  | 'reverse'
  /** From the last key to the first, but ids ascend where the fields are equal. */
  | 'reverseRuns'

export interface AccessPath {
  /** Undefined: the records themselves, by id. */
  readonly index: IndexPlan | undefined
  readonly stretches: readonly Stretch[]
  /** Undefined: not in the order asked for. */
  readonly order: ScanOrder | undefined
  /** The order holds within each stretch only, and behind its prefix: the stretches have to be merged. */
  readonly isMerged: boolean
  readonly answered: ReadonlySet<ParsedCondition>
  /** Fields fixed to one value, fields fixed to one of several, and whether the next one is bounded. */
  readonly equalFields: number
  readonly pointFields: number
  readonly isRanged: boolean
  /** Values of the fields fixed to one, by the field's place in the index. */
  readonly constants: ReadonlyMap<number, unknown>
}

/** The part of a path's stretches behind an entity with these `values`, in scan order. */
export function stretchesFrom(
  path: AccessPath,
  values: readonly unknown[],
  id: string,
  order: readonly OrderField[],
): readonly Stretch[] {
  const { index, stretches } = path
  const isForward = path.order === 'forward'
  const idKey = idKeyOf(id)
  if (index === undefined) {
    const rest = isForward
      ? { from: successor(idKey), to: undefined }
      : { from: NO_BYTES, to: idKey }
    return stretches.flatMap((stretch) => partOf(stretch, rest))
  }
  return stretches.flatMap((stretch) => {
    let run = path.isMerged ? stretch.prefix : NO_BYTES
    const fixed = path.isMerged ? path.equalFields + path.pointFields : 0
    for (const [i, field] of index.fields.entries()) {
      if (i < fixed) continue
      const at = order.findIndex((wanted) => wanted.path === field.path)
      const value = path.constants.has(i) ? path.constants.get(i) : values[at]
      run = encodeAfter(run, value, field.direction === 'desc')
    }
    const entry = entryKey(run, idKey)
    if (path.order === 'reverseRuns') {
      const { from, to } = valuesInterval(run, index.fields.at(-1)?.direction === 'desc')
      const rest = partOf(stretch, { from: successor(entry), to })
      return [
        ...partOf(stretch, { from: NO_BYTES, to: from }),
        // The ids ascend: what is left of the run comes first, as its keys lie.
        ...rest.map((part) => ({ ...part, order: 'forward' as const })),
      ]
    }
    const rest = isForward
      ? { from: successor(entry), to: undefined }
      : { from: NO_BYTES, to: entry }
    return partOf(stretch, rest)
  })
}

function partOf(stretch: Stretch, part: KeyInterval): readonly Stretch[] {
  const kept = intersect(stretch, part)
  return isEmpty(kept) ? [] : [{ ...kept, prefix: stretch.prefix }]
}
