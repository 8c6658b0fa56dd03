/** Ranges of byte keys. */

/** The least key above all that begin with `prefix`; undefined when there is none. */
export function keyAfterPrefix(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return undefined
  const end = prefix.slice(0, length)
  // Within bounds, and below 0xff.
  end[length - 1] = (end[length - 1] as number) + 1
  return end
}

/** As `keyAfterPrefix`, for a prefix that has such a key: one that ends in a separator. */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  const end = keyAfterPrefix(prefix)
  if (end === undefined) throw new RangeError('there is no key above this prefix')
  return end
}
