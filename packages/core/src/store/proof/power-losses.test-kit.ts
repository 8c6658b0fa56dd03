/**
 * The files that a power loss may leave: every combination of what was not flushed where that is
 * little; else each change alone, all but each, each prefix, and others by chance. Writes that cross
 * sectors are torn between them.
 */
import { createHash } from 'node:crypto'
import type { Files } from '../format-reader/read-store.test-kit.ts'
import type { Random } from '../random.ts'
import type { SimulatedDisk } from '../simulated-disk.ts'
import { type Change, sectorsOf, survivorsOf } from '../simulated-medium.ts'

/** Up to this many changes, every subset is tried. */
const EXHAUSTIVE_MAX = 4

/** Each different outcome once. `samples`: how many more by chance. */
export function* powerLosses(
  disk: SimulatedDisk,
  random: Random,
  samples: number,
): Generator<Files, void, void> {
  const { names, changes } = disk.unflushed()
  const seen = new Set<string>()
  const isNew = (files: Files): boolean => {
    const digest = digestOf(files)
    const isFirst = !seen.has(digest)
    seen.add(digest)
    return isFirst
  }
  for (const kept of subsets(names + changes.length)) {
    const files = disk.contentAfter({
      names: kept.slice(0, names),
      survivors: (change, index) => (kept[names + index] === true ? [change] : []),
    })
    if (isNew(files)) yield files
  }
  for (const torn of tornWrites(changes)) {
    for (const areOthersKept of [true, false]) {
      const files = disk.contentAfter({
        names: Array<boolean>(names).fill(true),
        survivors: (change, index) =>
          torn.index === index ? torn.parts : areOthersKept ? [change] : [],
      })
      if (isNew(files)) yield files
    }
  }
  for (let i = 0; i < samples && names + changes.length > 0; i++) {
    const files = disk.contentAfter({
      names: Array.from({ length: names }, () => random.chance(0.5)),
      survivors: (change) => survivorsOf(change, random),
    })
    if (isNew(files)) yield files
  }
}

/** Which of `count` changes survive. */
function* subsets(count: number): Generator<boolean[], void, void> {
  const where = (isKept: (index: number) => boolean): boolean[] =>
    Array.from({ length: count }, (_, index) => isKept(index))
  if (count <= EXHAUSTIVE_MAX) {
    for (let mask = 0; mask < 2 ** count; mask++) yield where((index) => (mask >> index) % 2 === 1)
    return
  }
  for (let chosen = 0; chosen < count; chosen++) {
    yield where((index) => index === chosen)
    yield where((index) => index !== chosen)
    yield where((index) => index < chosen)
  }
  yield where(() => true)
}

/** The first sector, the last one, all but the first, all but the last of each write that has several. */
function* tornWrites(
  changes: readonly Change[],
): Generator<{ readonly index: number; readonly parts: readonly Change[] }, void, void> {
  for (const [index, change] of changes.entries()) {
    const sectors = sectorsOf(change)
    if (sectors.length === 1) continue
    yield { index, parts: sectors.slice(0, 1) }
    yield { index, parts: sectors.slice(-1) }
    yield { index, parts: sectors.slice(1) }
    yield { index, parts: sectors.slice(0, -1) }
  }
}

/** Equal for the same files alone. */
export function digestOf(files: Files): string {
  const hash = createHash('sha1')
  for (const [name, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name} ${bytes.length}\n`).update(bytes)
  }
  return hash.digest('base64')
}
