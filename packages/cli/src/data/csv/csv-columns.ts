/** What the header of a CSV file and `--types` make of its cells. */
import { UsageError } from '../../cli/usage-error.ts'
import { type InputPlace, invalidInput } from '../input/input-record.ts'
import { excerpt } from '../json/json-value.ts'
import { CELL_TYPES, type CellType, fromCell } from './csv-cell.ts'
import { createFields, setAt } from './field-path.ts'

export interface CsvColumn {
  readonly name: string
  readonly path: readonly string[]
  readonly type: CellType
}

/** Of an entity: objects in objects. */
const DEPTH_MAX = 64

/** Types by column; that of `*` is for all others. */
export type ColumnTypes = ReadonlyMap<string, CellType>

/** A cell without quotes and text: no value. */
export type Cell = string | undefined

/** `age:number,born:date,*:string`. @throws UsageError */
export function parseColumnTypes(text: string): ColumnTypes {
  const types = new Map<string, CellType>()
  for (const part of text.split(',')) {
    const colon = part.lastIndexOf(':')
    const type = CELL_TYPES.find((name) => name === part.slice(colon + 1))
    if (colon <= 0 || type === undefined) {
      throw new UsageError(
        `--types takes column:type,..., with the types ${CELL_TYPES.join(', ')}; not ${part}`,
      )
    }
    types.set(part.slice(0, colon), type)
  }
  return types
}

/** Errors: `invalid_input` for a header that no entities can be made of. @throws UsageError */
export function columnsOf(
  header: readonly Cell[],
  types: ColumnTypes,
  place: InputPlace,
): readonly CsvColumn[] {
  const names = header.map((cell) => cell ?? '')
  const columns = names.map((name) => ({
    name,
    path: name.split('.'),
    type: name === 'id' ? 'string' : (types.get(name) ?? types.get('*') ?? 'string'),
  }))
  assertHeader(names, columns, place)
  const known = new Set(names)
  for (const [name, type] of types) {
    if (name !== '*' && !known.has(name)) {
      throw new UsageError(`--types names a column that is not there: ${name}`)
    }
    if (name === 'id' && type !== 'string') throw new UsageError('an id is a string')
  }
  return columns
}

function assertHeader(
  names: readonly string[],
  columns: readonly CsvColumn[],
  place: InputPlace,
): void {
  const wrong = (what: string) => invalidInput(place, `the header ${what}`)
  if (!names.includes('id')) throw wrong('has no column id; the first line names the columns')
  const seen = new Set<string>()
  for (const { name, path } of columns) {
    if (path.includes('')) throw wrong(`has a column without a name, or a part of one: ${name}`)
    if (seen.has(name)) throw wrong(`has the column ${name} twice`)
    if (path.length > DEPTH_MAX) throw wrong(`has a path that no entity has: ${excerpt(name)}`)
    seen.add(name)
  }
  for (const { name, path } of columns) {
    const above = path.map((_, depth) => path.slice(0, depth).join('.'))
    const parent = above.find((prefix) => seen.has(prefix))
    if (parent !== undefined) throw wrong(`has ${parent} as a value and as an object: ${name}`)
  }
}

/** Error: `invalid_input`. */
export function entityOfRow(
  row: readonly Cell[],
  columns: readonly CsvColumn[],
  place: InputPlace,
): object {
  if (row.length !== columns.length) {
    const [has, wanted] = [row.length, columns.length]
    throw invalidInput(place, `the row has ${has} cells, and the header ${wanted}`)
  }
  const entity = createFields()
  for (const [index, { name, path, type }] of columns.entries()) {
    const cell = row[index]
    if (cell === undefined) continue
    const value = fromCell(cell, type)
    if (value === undefined) {
      throw invalidInput(place, `${excerpt(cell)} in the column ${name} is no ${type}`)
    }
    setAt(entity, path, value)
  }
  return entity
}
