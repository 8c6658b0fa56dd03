/**
 * Random numbers by name: every use of chance has a stream of its own, so that one draw more in one place, or a
 * step left out, changes nothing anywhere else.
 */
import { Random } from '@entidb/core/conformance'

/** The stream of `seed` under these names. */
export function randomFor(seed: number, ...names: readonly (string | number)[]): Random {
  return new Random(hashOf(`${seed}/${names.join('/')}`))
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  }
  return hash >>> 0
}

/** One of `items`, which must not be empty. */
export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[random.below(items.length)]
  if (item === undefined) throw new RangeError('nothing to pick from')
  return item
}

/** From `min` to `max`, both included. */
export function between(random: Random, min: number, max: number): number {
  return min + random.below(max - min + 1)
}
