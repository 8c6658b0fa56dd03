/**
 * Which cached entity has a value of a unique index: a hash index in front of the tree, for the values that are
 * asked for (InnoDB calls its own an adaptive hash index).
 *
 * It may only hold what the last visible commit holds, and is right as long as that is so: the entity must be the
 * latest of its id, and have been the only one with the value. Another one gets the value by replication alone,
 * which tolerates it and then calls `clear`.
 */
import type { CacheEntry } from './entity-cache.ts'
import { type FieldReader, fieldReader } from './field-path.ts'

interface Field {
  readonly read: FieldReader
  readonly entries: Map<unknown, CacheEntry>
}

export class UniqueLookups {
  readonly #fields = new Map<string, Field>()

  get(path: string, value: unknown): object | undefined {
    const entry = this.#fields.get(path)?.entries.get(value)
    if (entry === undefined || !entry.latest) return undefined
    if (!entry.used) entry.used = true
    return entry.value
  }

  /** `entry` was the only one found with its value at `path`. */
  remember(path: string, entry: CacheEntry): void {
    let field = this.#fields.get(path)
    if (field === undefined) {
      field = { read: fieldReader(path), entries: new Map() }
      this.#fields.set(path, field)
    }
    // The entity's own text: that of the query is not kept alive.
    field.entries.set(field.read(entry.value), entry)
  }

  forget(entry: CacheEntry): void {
    for (const { read, entries } of this.#fields.values()) {
      const value = read(entry.value)
      if (entries.get(value) === entry) entries.delete(value)
    }
  }

  clear(): void {
    this.#fields.clear()
  }
}
