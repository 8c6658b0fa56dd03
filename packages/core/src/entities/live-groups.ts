/**
 * Live queries grouped by the fields that they fix by equality (`eq`, or one `in`). Each group is a tree of maps: one
 * level for each of those fields, in the order of their names, from the field's value to the next level; at its
 * end are the queries that fix just these values, told apart by their intervals. An entity is looked up once in each
 * group.
 */
import { rankOf } from './compare-values.ts'
import { type FieldReader, fieldReader } from './field-path.ts'
import { LiveBucket } from './live-bucket.ts'
import type { FieldInterval } from './live-intervals.ts'
import type { ParsedCondition } from './parsed-where.ts'

/** A longer `in` is not worth an entry for each of its values. */
const IN_VALUES_MAX = 1000

/** The values that a field may have. */
export interface FixedField {
  readonly path: string
  readonly keys: readonly unknown[]
}

class Branch<Q> {
  readonly branchesByKey = new Map<unknown, Branch<Q>>()
  readonly queries = new LiveBucket<Q>()

  get isEmpty(): boolean {
    return this.branchesByKey.size === 0 && this.queries.isEmpty
  }
}

/** A live query, and the interval that it leaves a field besides. */
interface Placed<Q> {
  readonly query: Q
  readonly interval: FieldInterval | undefined
}

interface Group<Q> {
  readonly reads: readonly FieldReader[]
  readonly root: Branch<Q>
}

/** Live queries by the values that they fix. */
export class LiveGroups<Q> {
  readonly #groupsByPaths = new Map<string, Group<Q>>()

  add(query: Q, fields: readonly FixedField[], interval: FieldInterval | undefined): void {
    const paths = pathsOf(fields)
    let group = this.#groupsByPaths.get(paths)
    if (group === undefined) {
      group = { reads: fields.map(({ path }) => fieldReader(path)), root: new Branch() }
      this.#groupsByPaths.set(paths, group)
    }
    addTo(group.root, { query, interval }, fields, 0)
  }

  remove(query: Q, fields: readonly FixedField[], interval: FieldInterval | undefined): void {
    const paths = pathsOf(fields)
    const group = this.#groupsByPaths.get(paths)
    if (group === undefined) return
    removeFrom(group.root, { query, interval }, fields, 0)
    if (group.root.isEmpty) this.#groupsByPaths.delete(paths)
  }

  /** Adds those that the entity may concern to `found`. */
  find(entity: object, found: Set<Q>): void {
    for (const { reads, root } of this.#groupsByPaths.values()) {
      let branch: Branch<Q> | undefined = root
      for (let i = 0; i < reads.length && branch !== undefined; i++) {
        branch = branch.branchesByKey.get(keyOf(reads[i]?.(entity)))
      }
      branch?.queries.find(entity, found)
    }
  }
}

function addTo<Q>(
  branch: Branch<Q>,
  placed: Placed<Q>,
  fields: readonly FixedField[],
  level: number,
): void {
  const field = fields[level]
  if (field === undefined) {
    branch.queries.add(placed.query, placed.interval)
    return
  }
  for (const key of field.keys) {
    let next = branch.branchesByKey.get(key)
    if (next === undefined) {
      next = new Branch()
      branch.branchesByKey.set(key, next)
    }
    addTo(next, placed, fields, level + 1)
  }
}

function removeFrom<Q>(
  branch: Branch<Q>,
  placed: Placed<Q>,
  fields: readonly FixedField[],
  level: number,
): void {
  const field = fields[level]
  if (field === undefined) {
    branch.queries.remove(placed.query, placed.interval)
    return
  }
  for (const key of field.keys) {
    const next = branch.branchesByKey.get(key)
    if (next === undefined) continue
    removeFrom(next, placed, fields, level + 1)
    if (next.isEmpty) branch.branchesByKey.delete(key)
  }
}

/** Sorted by path; of several conditions on one field the first one counts. None: nothing is fixed. */
export function fixedFields(conditions: readonly ParsedCondition[]): readonly FixedField[] {
  const keysByPath = new Map<string, readonly unknown[]>()
  for (const { path, operator, operand } of conditions) {
    if (operator === 'eq' && !keysByPath.has(path)) keysByPath.set(path, [keyOf(operand)])
  }
  for (const { path, operator, operand } of conditions) {
    if (operator !== 'in' || keysByPath.has(path)) continue
    // `in` takes a list.
    const values = operand as readonly unknown[]
    if (values.length > IN_VALUES_MAX) continue
    keysByPath.set(path, [...new Set(values.map(keyOf))])
    break
  }
  const fields = [...keysByPath].map(([path, keys]) => ({ path, keys }))
  return fields.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function pathsOf(fields: readonly FixedField[]): string {
  return JSON.stringify(fields.map(({ path }) => path))
}

/** Equal for values that compare equal; maybe for others too. */
function keyOf(value: unknown): unknown {
  if (value === undefined) return null
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isFinite(number) && BigInt(number) === value ? number : value
  }
  if (typeof value !== 'object' || value === null) return value
  return value instanceof Date ? value.getTime() : RANK_KEYS[rankOf(value)]
}

/** Bytes, arrays and maps: all of a kind. */
const RANK_KEYS: readonly symbol[] = Array.from({ length: 8 }, (_, rank) => Symbol(`rank ${rank}`))
