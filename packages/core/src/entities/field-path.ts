/** Reads a field, nested ones by `'address.city'`. Only own properties count: data, never code. */
export type FieldReader = (entity: unknown) => unknown

const { hasOwn } = Object

/** The reader answers undefined where there is no such field. */
export function fieldReader(path: string): FieldReader {
  if (!path.includes('.')) return (entity) => ownValue(entity, path)
  const names = path.split('.')
  return (entity) => names.reduce<unknown>(ownValue, entity)
}

function ownValue(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !hasOwn(value, name)) return undefined
  // hasOwn has just said so.
  return (value as Readonly<Record<string, unknown>>)[name]
}

export function isFieldPath(path: unknown): path is string {
  if (typeof path !== 'string' || path === '') return false
  return !path.includes('.') || path.split('.').every((name) => name !== '')
}

/** Gives an object that is being made a field of its own, whatever its name. */
export function setOwn(object: Record<string, unknown>, name: string, value: unknown): void {
  if (!(name in object)) object[name] = value
  // Assigning would meet something inherited, such as `__proto__`.
  else Object.defineProperty(object, name, { value, enumerable: true })
}
