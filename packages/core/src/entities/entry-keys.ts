/**
 * Keys of the entries that one entity has in an index: one as a rule. An index of the elements of a list (a
 * field named `tags[]`) has one for each different element.
 */
import { bytesEqual, compareBytes } from '../store/bytes.ts'
import { ID_SEPARATOR, type IndexPlan } from './index-plan.ts'
import { KeyWriter } from './key-writer.ts'

/** Undefined: none. A list is sorted, without duplicates, and not empty. */
export type EntryKeys = Uint8Array | readonly Uint8Array[] | undefined

/** For each index of a collection, in their order. */
export type IndexKeys = readonly EntryKeys[]

const NONE: readonly Uint8Array[] = []

export function listOf(keys: EntryKeys): readonly Uint8Array[] {
  return keys === undefined ? NONE : keys instanceof Uint8Array ? [keys] : keys
}

export function isSameKeys(a: EntryKeys, b: EntryKeys): boolean {
  if (a === b) return true
  if (a instanceof Uint8Array && b instanceof Uint8Array) return bytesEqual(a, b)
  const [keys, others] = [listOf(a), listOf(b)]
  return keys.length === others.length && keys.every((key, i) => isSameKey(key, others[i]))
}

function isSameKey(key: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && bytesEqual(key, other)
}

/** Those that are not among `others`. Both are in order, and may be many. */
export function keysWithout(keys: EntryKeys, others: EntryKeys): readonly Uint8Array[] {
  const excluded = listOf(others)
  let at = 0
  return listOf(keys).filter((key) => {
    // Within bounds.
    while (at < excluded.length && compareBytes(excluded[at] as Uint8Array, key) < 0) at++
    return !isSameKey(key, excluded[at])
  })
}

const writer = new KeyWriter()

/**
 * Keys in an index of elements; `read` answers the value of a field of the index, the list itself for that of
 * the elements.
 */
export function elementKeys(
  plan: IndexPlan,
  read: (field: number) => unknown,
  idKey: Uint8Array,
): EntryKeys {
  const { fields, sparse, elementsAt } = plan
  const values = fields.map((_, field) => read(field))
  const list = values[elementsAt]
  if (!Array.isArray(list) || (sparse && values.includes(undefined))) return undefined
  const keys = list.map((element) => {
    writer.reset()
    for (const [i, { direction }] of fields.entries()) {
      const start = writer.length
      writer.value(i === elementsAt ? element : values[i])
      if (direction === 'desc') writer.invertFrom(start)
    }
    writer.byte(ID_SEPARATOR)
    writer.raw(idKey)
    return writer.take()
  })
  const sorted = keys.sort(compareBytes)
  const different = sorted.filter((key, i) => i === 0 || !isSameKey(key, sorted[i - 1]))
  return different.length === 0 ? undefined : different
}
