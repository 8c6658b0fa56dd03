/**
 * The way through an index: its first fields fixed by equality, or to one of several values (then each
 * combination of them is a stretch of its own), and one range behind them.
 */
import type { AccessPath, ScanOrder, Stretch } from './access-path.ts'
import type { IndexPlan } from './index-plan.ts'
import {
  encodeAfter,
  intersect,
  isEmpty,
  isRange,
  type KeyInterval,
  NO_BYTES,
  rangeInterval,
  valuesInterval,
} from './key-interval.ts'
import type { ParsedQuery } from './parsed-query.ts'
import { findCondition, type ParsedCondition } from './parsed-where.ts'

/** More combinations of values are not looked up one by one; a single list may be longer. */
const COMBINATIONS_MAX = 256
/** More stretches are not merged: the answer is sorted in memory. */
const MERGED_MAX = 64

type IndexField = IndexPlan['fields'][number]

/** How conditions fix the first fields of an index. */
interface Fixed {
  readonly prefixes: readonly Uint8Array[]
  readonly constants: ReadonlyMap<number, unknown>
  /** Fields, fixed to one value or to one of several. */
  readonly fields: number
}

/** Does a condition say something about the first field? If not, the index can be of use for its order alone. */
export function bindsFirstField({ fields }: IndexPlan, { conditions }: ParsedQuery): boolean {
  const [first] = fields
  return conditions.some(({ path }) => path === first?.path)
}

/** Undefined when the index may lack entities that the query asks for, or has them more than once. */
export function indexPath(index: IndexPlan, query: ParsedQuery): AccessPath | undefined {
  if (index.sparse && !index.fields.every(({ path }) => demandsValue(query, path))) return undefined
  const answered = new Set<ParsedCondition>()
  const fixed = fixFields(index, query, answered)
  // It has an entity once for each element, and not at all without.
  if (index.elementsAt >= fixed.fields) return undefined
  const next = index.fields[fixed.fields]
  const ranges =
    next === undefined
      ? []
      : query.conditions.filter((condition) => condition.path === next.path && isRange(condition))
  for (const condition of ranges) answered.add(condition)
  const isInverted = index.fields[fixed.fields - 1]?.direction === 'desc'
  const stretches = fixed.prefixes.flatMap((prefix) =>
    stretchOf(prefix, valuesInterval(prefix, isInverted), ranges, next?.direction === 'desc'),
  )
  return {
    index,
    stretches,
    answered,
    ...ordering(index, query, fixed, stretches.length),
    constants: fixed.constants,
    equalFields: fixed.constants.size,
    pointFields: fixed.fields - fixed.constants.size,
    isRanged: ranges.length > 0,
  }
}

/** Of the stretches one after the other; or else, where they are not too many, of each by itself. */
function ordering(
  index: IndexPlan,
  query: ParsedQuery,
  fixed: Fixed,
  stretches: number,
): Pick<AccessPath, 'order' | 'isMerged'> {
  if (query.order.length === 0) {
    const isOrderedById = fixed.constants.size === index.fields.length
    return { order: isOrderedById ? 'forward' : undefined, isMerged: false }
  }
  const constants = constantPaths(index, fixed)
  const free = index.fields.filter((_, i) => !fixed.constants.has(i))
  const order = orderOf(query, free, constants)
  if (order !== undefined || stretches > MERGED_MAX) return { order, isMerged: false }
  const merged = orderOf(query, index.fields.slice(fixed.fields), constants)
  return { order: merged, isMerged: merged !== undefined }
}

function fixFields(index: IndexPlan, query: ParsedQuery, answered: Set<ParsedCondition>): Fixed {
  let prefixes: readonly Uint8Array[] = [NO_BYTES]
  const constants = new Map<number, unknown>()
  let fields = 0
  for (const [i, field] of index.fields.entries()) {
    const values = valuesOf(field, query, prefixes.length)
    if (values === undefined) break
    answered.add(values.condition)
    if (values.isOne) constants.set(i, values.operands[0])
    const [only] = prefixes
    prefixes =
      only !== undefined && prefixes.length === 1
        ? encodeEach(only, values.operands, field)
        : prefixes.flatMap((prefix) => encodeEach(prefix, values.operands, field))
    fields++
  }
  return { prefixes, constants, fields }
}

/** The values that a field is fixed to; undefined where it is not, or by too many together with those before. */
function valuesOf(
  { path, elements }: IndexField,
  { conditions }: ParsedQuery,
  prefixes: number,
): { condition: ParsedCondition; operands: readonly unknown[]; isOne: boolean } | undefined {
  const equality = findCondition(conditions, path, elements === true ? 'has' : 'eq')
  if (equality !== undefined) {
    return { condition: equality, operands: [equality.operand], isOne: true }
  }
  const among = elements === true ? undefined : findCondition(conditions, path, 'in')
  if (among === undefined) return undefined
  // `in` takes a list.
  const operands = among.operand as readonly unknown[]
  const isTooMuch = prefixes > 1 && prefixes * operands.length > COMBINATIONS_MAX
  return isTooMuch ? undefined : { condition: among, operands, isOne: false }
}

/** In the order of the keys: operands of `in` ascend. */
function encodeEach(
  prefix: Uint8Array,
  operands: readonly unknown[],
  { direction }: IndexField,
): Uint8Array[] {
  const isDescending = direction === 'desc'
  const keys = operands.map((value) => encodeAfter(prefix, value, isDescending))
  return isDescending ? keys.reverse() : keys
}

function stretchOf(
  prefix: Uint8Array,
  whole: KeyInterval,
  ranges: readonly ParsedCondition[],
  isDescending: boolean,
): readonly Stretch[] {
  let interval = whole
  for (const condition of ranges) {
    interval = intersect(interval, rangeInterval(prefix, condition, isDescending))
  }
  return isEmpty(interval) ? [] : [{ ...interval, prefix }]
}

/** Not that of elements: of the list itself nothing is said. */
function constantPaths(index: IndexPlan, { constants }: Fixed): ReadonlySet<string> {
  const { fields, elementsAt } = index
  const fixed = fields.filter((_, i) => constants.has(i) && i !== elementsAt)
  return new Set(fixed.map(({ path }) => path))
}

/** The order of entries whose keys differ in the fields `given`, compared with what is asked for. */
function orderOf(
  query: ParsedQuery,
  given: readonly IndexField[],
  constants: ReadonlySet<string>,
): ScanOrder | undefined {
  const idAt = query.order.findIndex(({ path }) => path === 'id')
  const idDirection = query.order[idAt]?.direction ?? 'asc'
  const relevant = idAt < 0 ? query.order : query.order.slice(0, idAt)
  const seen = new Set(constants)
  const wanted = relevant.filter(({ path }) => !seen.has(path) && seen.add(path))
  if (given.length !== wanted.length) return undefined
  if (given.some(({ path }, i) => path !== wanted[i]?.path)) return undefined
  const same = given.filter(({ direction }, i) => direction === wanted[i]?.direction).length
  if (same === given.length && idDirection === 'asc') return 'forward'
  if (same > 0) return undefined
  return idDirection === 'desc' ? 'reverse' : given.length > 0 ? 'reverseRuns' : undefined
}

/** Does the query let no entity through that lacks the field? */
function demandsValue({ conditions }: ParsedQuery, field: string): boolean {
  return conditions.some(({ path, operator, operand }) => {
    if (path !== field) return false
    if (operator === 'exists') return operand === true
    if (operator === 'startsWith' || operator === 'has') return true
    if (operator === 'ne') return operand === null
    // `in` and `between` take lists.
    if (operator === 'in') return (operand as readonly unknown[]).every((value) => value !== null)
    if (operator === 'between') return (operand as readonly unknown[])[0] !== null
    return operand !== null
  })
}
