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

/** Where an entity of the result before was. */
interface Origin {
  readonly from: number
  /** Entities that stay as they are and were before it. */
  readonly anchors: number
}

/** Undefined when nothing is different. Costs a comparison for each entity, and little more for what changed. */
export function changesBetween<T extends Entity>(
  before: readonly T[],
  after: readonly T[],
): LiveChanges<T> | undefined {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && before[start] === after[start]) start++
  if (start === before.length && start === after.length) return undefined
  let same = 0
  while (
    same < shorter - start &&
    before[before.length - 1 - same] === after[after.length - 1 - same]
  ) {
    same++
  }
  return compareStretch(before, after, start, before.length - same, after.length - same)
}

/** Of what lies between the ends that are the same. */
function compareStretch<T extends Entity>(
  before: readonly T[],
  after: readonly T[],
  start: number,
  endBefore: number,
  endAfter: number,
): LiveChanges<T> {
  const placesById = new Map<string, number>()
  // All indexes from here on are within bounds.
  for (let i = start; i < endAfter; i++) placesById.set((after[i] as T).id, i)
  const changes = {
    added: [] as { entity: T; index: number }[],
    removed: [] as { entity: T; index: number }[],
    changed: [] as { entity: T; previous: T; index: number }[],
    moved: [] as { entity: T; from: number; to: number }[],
  }
  const originsById = new Map<string, Origin>()
  let anchors = 0
  for (let from = start; from < endBefore; from++) {
    const entity = before[from] as T
    const place = placesById.get(entity.id)
    if (place === undefined) changes.removed.push({ entity, index: from })
    else originsById.set(entity.id, { from, anchors })
    if (place !== undefined && after[place] === entity) anchors++
  }
  anchors = 0
  let lastFrom = -1
  for (let index = start; index < endAfter; index++) {
    const entity = after[index] as T
    const origin = originsById.get(entity.id)
    if (origin === undefined) {
      changes.added.push({ entity, index })
      continue
    }
    const { from } = origin
    const previous = before[from] as T
    if (previous === entity) {
      anchors++
      continue
    }
    changes.changed.push({ entity, previous, index })
    if (origin.anchors === anchors && from > lastFrom) lastFrom = from
    else changes.moved.push({ entity, from, to: index })
  }
  return changes
}
