/** What the tables of a database are for, by their names. */

export type TableRole =
  | { readonly kind: 'records'; readonly collection: string }
  | { readonly kind: 'bases'; readonly collection: string }
  | { readonly kind: 'index'; readonly collection: string; readonly index: string }
  | { readonly kind: 'other' }

/** The change feed's table: keys are opIds, 8 bytes, big-endian. */
export const FEED_TABLE = 'feed'

/** The database's table about itself: keys are text, values are CBOR. */
export const META_TABLE = 'meta'

export function roleOfTable(name: string): TableRole {
  const [prefix, collection, ...rest] = name.split(':')
  if (collection === undefined) return { kind: 'other' }
  if (prefix === 'c') return { kind: 'records', collection }
  if (prefix === 'r') return { kind: 'bases', collection }
  if (prefix === 'i') return { kind: 'index', collection, index: rest.join(':') }
  return { kind: 'other' }
}
