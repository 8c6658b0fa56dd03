/** What queries mean, word for word: filter, sort, slice. */
import type { AnyEntity } from './collection-definition.ts'
import { compareText } from './compare-text.ts'
import { compareValues, rankOf } from './compare-values.ts'

type Value = Readonly<Record<string, unknown>>

function read(entity: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => {
    const isMap = typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    return isMap ? (value as Value)[name] : undefined
  }, entity)
}

/** The meaning of a condition, word for word. */
function holds(value: unknown, operator: string, operand: unknown): boolean {
  const equal = (other: unknown) => compareValues(value, other) === 0
  const ranged = (bound: unknown, test: (difference: number) => boolean) =>
    rankOf(value) === rankOf(bound) && test(compareValues(value, bound))
  const list = operand as readonly unknown[]
  switch (operator) {
    case 'eq':
      return equal(operand)
    case 'ne':
      return !equal(operand)
    case 'gt':
      return ranged(operand, (d) => d > 0)
    case 'gte':
      return ranged(operand, (d) => d >= 0)
    case 'lt':
      return ranged(operand, (d) => d < 0)
    case 'lte':
      return ranged(operand, (d) => d <= 0)
    case 'in':
      return list.some(equal)
    case 'between':
      return ranged(list[0], (d) => d >= 0) && ranged(list[1], (d) => d <= 0)
    case 'startsWith':
      return typeof value === 'string' && value.startsWith(operand as string)
    case 'exists':
      return (value !== undefined) === operand
    default:
      return Array.isArray(value) && value.some((item) => compareValues(item, operand) === 0)
  }
}

function isOperators(condition: unknown): condition is Value {
  return typeof condition === 'object' && condition !== null && rankOf(condition) === rankOf({})
}

function matches(entity: unknown, filter: Value): boolean {
  return Object.entries(filter).every(([key, value]) => {
    if (key === 'and') return (value as Value[]).every((part) => matches(entity, part))
    if (key === 'or') return (value as Value[]).some((part) => matches(entity, part))
    if (key === 'not') return !matches(entity, value as Value)
    if (!isOperators(value)) return holds(read(entity, key), 'eq', value)
    return Object.entries(value).every(([name, operand]) => holds(read(entity, key), name, operand))
  })
}

export function naiveIds(all: readonly AnyEntity[], query: Value): readonly string[] {
  const order = Object.entries((query.orderBy ?? {}) as Record<string, string>)
  return all
    .filter((entity) => matches(entity, query.where as Value))
    .sort((a, b) => {
      for (const [path, direction] of order) {
        const difference = compareValues(read(a, path), read(b, path))
        if (difference !== 0) return direction === 'desc' ? -difference : difference
      }
      return compareText(a.id, b.id)
    })
    .slice(0, (query.limit as number | undefined) ?? Infinity)
    .map(({ id }) => id)
}
