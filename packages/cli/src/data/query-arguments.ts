/** What the words of a command line say about a query. */
import type { AnyEntity, Direction, OrderBy, Where } from '@entidb/core'
import { UsageError } from '../cli/usage-error.ts'
import { parseJson } from './json/json-text.ts'
import { fromJson, JsonFormError } from './json/json-value.ts'

/** JSON in the forms of `docs/data-formats.md`. Whether it makes sense is for the query to say. */
export function parseWhere(text: string, option: string): Where<AnyEntity> {
  try {
    // Checked by the query that it is for.
    return fromJson(parseJson(text)) as Where<AnyEntity>
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof JsonFormError) {
      throw new UsageError(`${option} is no JSON: ${cause.message}`, { cause })
    }
    throw cause
  }
}

/** `createdAt:desc,name`. */
export function parseOrderBy(text: string): OrderBy<AnyEntity> {
  return text.split(',').map((part) => {
    const [, field = '', direction = 'asc'] = /^(.*?)(?::(asc|desc))?$/.exec(part) ?? []
    if (field === '') {
      throw new UsageError(`--order-by takes field,field:desc,..., not ${text}`)
    }
    // The pattern lets nothing else through.
    return { [field]: direction as Direction }
  })
}

/** `name,address.city`. */
export function parseFields(text: string): readonly (readonly string[])[] {
  const paths = text.split(',').map((field) => field.split('.'))
  if (paths.some((path) => path.includes(''))) {
    throw new UsageError(`--fields takes field,field.inside,..., not ${text}`)
  }
  const names = new Set(text.split(','))
  const nested = paths.find((path) =>
    path.some((_, depth) => depth > 0 && names.has(path.slice(0, depth).join('.'))),
  )
  if (nested !== undefined) {
    throw new UsageError(`--fields has ${nested.join('.')} as well as what it is a part of`)
  }
  return paths
}

/** One character between the cells of CSV; a tab may be written `\t`. */
export function parseDelimiter(text: string): string {
  const delimiter = text === '\\t' ? '\t' : text
  if (!/^[^"\r\n]$/.test(delimiter)) {
    throw new UsageError(`--delimiter is one character, and no quote or end of a line: ${text}`)
  }
  return delimiter
}
