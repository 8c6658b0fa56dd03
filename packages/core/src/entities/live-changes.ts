/**
 * What became of one result since another: of the results before and after a commit, or of any two results of
 * one live query. An entity whose object is the same in both has kept its content and its place in the order.
 */
import type { Entity } from './collection-definition.ts'

/** What a live query tells its readers. */
export interface LiveChange<T extends Entity> {
  /** The whole result now: what `getSnapshot` answers. */
  readonly items: readonly Readonly<T>[]
  /** Since the result before; the first result counts as added to nothing. */
  readonly changes: LiveChanges<T>
}

/**
 * From the result before to `items`: take out what was removed or moved, put in what was added or moved, lowest
 * index first, and replace what changed. Every list is in the order of its indexes.
 */
export interface LiveChanges<T extends Entity> {
  /** `index` is the place in `items`. */
  readonly added: readonly { readonly entity: Readonly<T>; readonly index: number }[]
  /** `index` is the place in the result before. */
  readonly removed: readonly { readonly entity: Readonly<T>; readonly index: number }[]
  /** The same id with other content; `index` is the place in `items`. */
  readonly changed: readonly {
    readonly entity: Readonly<T>
    readonly previous: Readonly<T>
    readonly index: number
  }[]
  /**
   * Those of `changed` whose place among the others is another one: `from` in the result before, `to` in `items`.
   * Entities that only make room for others have not moved.
   */
  readonly moved: readonly {
    readonly entity: Readonly<T>
    readonly from: number
    readonly to: number
  }[]
}

/** Which places of two results differ, both in ascending order. Everything else is the same object, in the same order. */
export interface Exchange {
  /** In the result before. */
  readonly leaving: readonly number[]
  /** In the result after. */
  readonly entering: readonly number[]
}

/**
 * From an exchange of two longer lists that the results are the beginnings of: what is pushed over the end of the
 * result, or comes in there, needs no mention in it. Undefined when nothing is different.
 */
export function changesOf<T extends Entity>(
  before: readonly T[],
  after: readonly T[],
  exchange: Exchange,
): LiveChanges<T> | undefined {
  const leaving = exchange.leaving.filter((index) => index < before.length)
  const entering = exchange.entering.filter((index) => index < after.length)
  const staying = before.length - leaving.length - (after.length - entering.length)
  if (staying > 0) addLastOthers(leaving, before.length, staying)
  if (staying < 0) addLastOthers(entering, after.length, -staying)
  return describe(before, after, { leaving, entering })
}

/** Between any two results. Costs a comparison for each entity, and little more for what lies between the changes. */
export function changesBetween<T extends Entity>(
  before: readonly T[],
  after: readonly T[],
): LiveChanges<T> | undefined {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start] === after[start]) start++
  let endBefore = before.length
  let endAfter = after.length
  while (endBefore > start && endAfter > start && before[endBefore - 1] === after[endAfter - 1]) {
    endBefore--
    endAfter--
  }
  const stretch = before.slice(start, endBefore)
  const stretchAfter = after.slice(start, endAfter)
  const objects = new Set(stretch)
  const objectsAfter = new Set(stretchAfter)
  const leaving = indexesWhere(stretch, start, (entity) => !objectsAfter.has(entity))
  const entering = indexesWhere(stretchAfter, start, (entity) => !objects.has(entity))
  return describe(before, after, { leaving, entering })
}

function indexesWhere<T>(list: readonly T[], start: number, holds: (item: T) => boolean): number[] {
  const indexes: number[] = []
  list.forEach((item, i) => {
    if (holds(item)) indexes.push(start + i)
  })
  return indexes
}

/** Adds the last `count` of the indexes below `length` that are not in the ascending `indexes`. */
function addLastOthers(indexes: number[], length: number, count: number): void {
  const known = new Set(indexes)
  const others: number[] = []
  for (let index = length - 1; others.length < count; index--) {
    if (!known.has(index)) others.push(index)
  }
  indexes.push(...others)
  indexes.sort((a, b) => a - b)
}

/** Where an entity of the result before was. */
interface Origin {
  readonly from: number
  /** Entities that stay as they are and were before it. */
  readonly stayingBefore: number
}

function describe<T extends Entity>(
  before: readonly T[],
  after: readonly T[],
  { leaving, entering }: Exchange,
): LiveChanges<T> | undefined {
  const originsById = new Map<string, Origin>()
  // All indexes are within bounds.
  leaving.forEach((from, i) => {
    originsById.set((before[from] as T).id, { from, stayingBefore: from - i })
  })
  const added: { entity: T; index: number }[] = []
  const changed: { entity: T; previous: T; index: number }[] = []
  const moved: { entity: T; from: number; to: number }[] = []
  let lastFrom = -1
  entering.forEach((index, i) => {
    const entity = after[index] as T
    const origin = originsById.get(entity.id)
    if (origin === undefined) {
      added.push({ entity, index })
      return
    }
    originsById.delete(entity.id)
    const { from, stayingBefore } = origin
    const previous = before[from] as T
    if (previous === entity) return
    changed.push({ entity, previous, index })
    // Of several that pass each other, the later ones count as moved.
    if (stayingBefore === index - i && from > lastFrom) lastFrom = from
    else moved.push({ entity, from, to: index })
  })
  const removed = [...originsById.values()].map(({ from }) => ({
    entity: before[from] as T,
    index: from,
  }))
  if (added.length + removed.length + changed.length === 0) return undefined
  return { added, removed, changed, moved }
}
