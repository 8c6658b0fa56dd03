/**
 * `where` as conditions on single fields, which an index may answer, and predicates for the rest.
 * Evaluating all of them on an entity is always right, whatever an index has done before.
 */
import { compareValues, rankOf } from './compare-values.ts'
import { invalidQuery } from './entity-errors.ts'
import { type FieldReader, fieldReader, isFieldPath } from './field-path.ts'
import { takeOperand } from './operand.ts'

export type Predicate = (entity: object) => boolean

export type Operator =
  | 'eq'
  | 'ne'
  | 'gt'
  | 'gte'
  | 'lt'
  | 'lte'
  | 'in'
  | 'between'
  | 'startsWith'
  | 'exists'
  | 'has'

export interface ParsedCondition {
  readonly path: string
  readonly operator: Operator
  /** Of `in`: in ascending order, without duplicates. */
  readonly operand: unknown
  readonly matches: Predicate
}

export interface ParsedWhere {
  readonly conditions: ParsedCondition[]
  readonly predicates: Predicate[]
  /** Each `or`: one of its parts has to hold. They are among the predicates too. */
  readonly alternatives: Alternatives[]
}

/** What one part of an `or` asks for by conditions, and the part as a whole. */
export interface Alternative {
  readonly conditions: readonly ParsedCondition[]
  readonly matches: Predicate
}

/** An `or`. */
export interface Alternatives {
  readonly parts: readonly Alternative[]
  readonly matches: Predicate
}

export function findCondition(
  conditions: readonly ParsedCondition[],
  path: string,
  operator: Operator,
): ParsedCondition | undefined {
  return conditions.find((one) => one.path === path && one.operator === operator)
}

/** Error: `invalid_query`. */
export function parseWhere(where: unknown): ParsedWhere {
  const parsed: ParsedWhere = { conditions: [], predicates: [], alternatives: [] }
  if (where !== undefined) addWhere(parsed, where)
  return parsed
}

function addWhere(parsed: ParsedWhere, where: unknown): void {
  if (!isPlainObject(where)) throw invalidQuery('where is an object of fields and conditions')
  for (const [key, value] of Object.entries(where)) {
    if (key === 'and') for (const part of parseParts(key, value)) addWhere(parsed, part)
    else if (key === 'or') addAlternatives(parsed, parseParts(key, value).map(parseAlternative))
    else if (key === 'not') parsed.predicates.push(complement(parseAlternative(value).matches))
    else addField(parsed, key, value)
  }
}

function parseParts(key: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw invalidQuery(`${key} takes a list of conditions`)
}

function parseAlternative(where: unknown): Alternative {
  const { conditions, predicates } = parseWhere(where ?? invalidWhere())
  const all = [...conditions.map(({ matches }) => matches), ...predicates]
  return { conditions, matches: (entity) => all.every((matches) => matches(entity)) }
}

function invalidWhere(): never {
  throw invalidQuery('a condition of and, or, not is missing')
}

function addAlternatives(parsed: ParsedWhere, parts: readonly Alternative[]): void {
  const matches: Predicate = (entity) => parts.some((part) => part.matches(entity))
  parsed.alternatives.push({ parts, matches })
  parsed.predicates.push(matches)
}

function complement(matches: Predicate): Predicate {
  return (entity) => !matches(entity)
}

function addField(parsed: ParsedWhere, path: string, value: unknown): void {
  if (!isFieldPath(path)) throw invalidQuery(`where names no field: ${path}`)
  if (!isPlainObject(value)) {
    parsed.conditions.push(condition(path, 'eq', value))
    return
  }
  const operators = Object.entries(value)
  if (operators.length === 0) throw invalidQuery(`The condition on ${path} is empty`)
  for (const [operator, operand] of operators) {
    if (!isOperator(operator)) throw unknownOperator(path, operator)
    parsed.conditions.push(condition(path, operator, operand))
  }
}

function unknownOperator(path: string, operator: string): Error {
  const known = Object.keys(tests).join(', ')
  return invalidQuery(
    `${operator} is no condition for ${path}; there are ${known}. To compare with an object, use { eq: ... }.`,
  )
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !(value instanceof Uint8Array)
  )
}

function isOperator(name: string): name is Operator {
  return Object.hasOwn(tests, name)
}

function condition(path: string, operator: Operator, given: unknown): ParsedCondition {
  const operand = checkOperand(path, operator, takeOperand(given, `${path} ${operator}`))
  return { path, operator, operand, matches: tests[operator](fieldReader(path), operand) }
}

function checkOperand(path: string, operator: Operator, operand: unknown): unknown {
  const refuse = (what: string): never => {
    throw invalidQuery(`${path} ${operator} takes ${what}`)
  }
  if (operator === 'startsWith' && typeof operand !== 'string') refuse('a string')
  if (operator === 'exists' && typeof operand !== 'boolean') refuse('true or false')
  if (operator === 'in') return Array.isArray(operand) ? sortedSet(operand) : refuse('a list')
  if (operator === 'between' && !(Array.isArray(operand) && operand.length === 2)) {
    refuse('[low, high]')
  }
  return operand
}

function sortedSet(values: readonly unknown[]): readonly unknown[] {
  const sorted = [...values].sort(compareValues)
  return sorted.filter((value, i) => i === 0 || compareValues(value, sorted[i - 1]) !== 0)
}

type TestMaker = (read: FieldReader, operand: unknown) => Predicate

const tests: Readonly<Record<Operator, TestMaker>> = {
  eq: (read, operand) => (entity) => compareValues(read(entity), operand) === 0,
  ne: (read, operand) => (entity) => compareValues(read(entity), operand) !== 0,
  gt: rangeTest((difference) => difference > 0),
  gte: rangeTest((difference) => difference >= 0),
  lt: rangeTest((difference) => difference < 0),
  lte: rangeTest((difference) => difference <= 0),
  // `checkOperand` has seen to the shapes of these.
  in: (read, operand) => (entity) => includes(operand as readonly unknown[], read(entity)),
  between: (read, operand) => {
    const [low, high] = operand as readonly [unknown, unknown]
    const [above, below] = [tests.gte(read, low), tests.lte(read, high)]
    return (entity) => above(entity) && below(entity)
  },
  startsWith: (read, operand) => (entity) => {
    const value = read(entity)
    return typeof value === 'string' && value.startsWith(operand as string)
  },
  exists: (read, operand) => (entity) => (read(entity) !== undefined) === operand,
  has: (read, operand) => (entity) => {
    const value = read(entity)
    return Array.isArray(value) && value.some((item) => compareValues(item, operand) === 0)
  },
}

function rangeTest(holds: (difference: number) => boolean): TestMaker {
  return (read, operand) => {
    const rank = rankOf(operand)
    return (entity) => {
      const value = read(entity)
      return rankOf(value) === rank && holds(compareValues(value, operand))
    }
  }
}

/** Binary search in a sorted list. */
function includes(sorted: readonly unknown[], value: unknown): boolean {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const difference = compareValues(value, sorted[middle])
    if (difference === 0) return true
    if (difference < 0) high = middle
    else low = middle + 1
  }
  return false
}
