/** Fields by path: `address.city`. Only own properties count: data, never code. */

export function valueAt(entity: unknown, path: readonly string[]): unknown {
  let value = entity
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    // hasOwn has just said so.
    value = (value as Readonly<Record<string, unknown>>)[name]
  }
  return value
}

/** An object that `setAt` fills: without a prototype, so that every key is data. */
export function createFields(): Record<string, unknown> {
  return Object.create(null)
}

/** Makes the objects on the way. No path that was set may lead through another. */
export function setAt(
  fields: Record<string, unknown>,
  path: readonly string[],
  value: unknown,
): void {
  let target = fields
  for (const name of path.slice(0, -1)) {
    target[name] ??= createFields()
    // Made by the line before.
    target = target[name] as Record<string, unknown>
  }
  const last = path.at(-1)
  if (last !== undefined) target[last] = value
}

/** The part of an entity that lies under `paths`, for output. */
export function pickFields(entity: unknown, paths: readonly (readonly string[])[]): object {
  const picked = createFields()
  for (const path of paths) {
    const value = valueAt(entity, path)
    if (value !== undefined) setAt(picked, path, value)
  }
  return picked
}

/** An object that has fields of its own, and not another value. */
export function isFields(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !(value instanceof Uint8Array)
  )
}
