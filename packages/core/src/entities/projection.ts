/** `select`: the part of each entity that a query answers with. */
import { RANK, rankOf } from './compare-values.ts'
import { invalidQuery } from './entity-errors.ts'
import { isFieldPath, setOwn } from './field-path.ts'

/** Makes what is answered of an entity: a new object, deeply frozen as far as the entity is. */
export type Projection = (entity: object) => object

/** What is selected of an object, by name: all of a field, or some of what it holds. */
type Part = Map<string, Part | 'all'>

type Values = Readonly<Record<string, unknown>>

const { hasOwn } = Object

/** Undefined: entities are answered as they are. Error: `invalid_query`. */
export function parseSelect(select: unknown): Projection | undefined {
  if (select === undefined) return undefined
  if (!Array.isArray(select)) throw invalidQuery("select is a list of fields: ['id', 'name']")
  const part: Part = new Map()
  for (const path of select as readonly unknown[]) {
    if (!isFieldPath(path)) throw invalidQuery(`select names no field: ${describe(path)}`)
    addPath(part, path.split('.'))
  }
  // An entity is a map of values.
  return (entity) => take(entity as Values, part)
}

export function projectAll(
  entities: readonly object[],
  project: Projection | undefined,
): readonly object[] {
  return project === undefined ? entities : entities.map(project)
}

function describe(path: unknown): string {
  return typeof path === 'string' ? `'${path}'` : typeof path
}

function addPath(part: Part, [name = '', ...rest]: readonly string[]): void {
  const below = part.get(name) ?? new Map()
  if (below === 'all') return
  part.set(name, rest.length === 0 ? 'all' : below)
  if (rest.length > 0) addPath(below, rest)
}

function take(values: Values, part: Part): object {
  const taken: Record<string, unknown> = {}
  for (const [name, below] of part) {
    if (!hasOwn(values, name)) continue
    const value = values[name]
    if (below === 'all') setOwn(taken, name, value)
    // Of what is no map there is nothing to take.
    else if (rankOf(value) === RANK.map) setOwn(taken, name, take(value as Values, below))
  }
  return Object.freeze(taken)
}
