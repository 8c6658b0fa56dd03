/** `Page.next` as text: the place behind the last entity of a page. */
import { decodeEntity } from '../cbor/entity-decoder.ts'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { invalidQuery } from './entity-errors.ts'
import type { Place } from './place.ts'

export function formatPlace({ values, id }: Place): string {
  const bytes = encodeEntity([id, ...values.map((value) => value ?? null)])
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}

/** Error: `invalid_query`. */
export function parsePlace(token: unknown, fields: number): Place {
  if (typeof token === 'string') {
    try {
      const bytes = Uint8Array.from(atob(token), (char) => char.charCodeAt(0))
      const place = decodeEntity(bytes)
      if (Array.isArray(place) && place.length === fields + 1) {
        const [id, ...values] = place as readonly unknown[]
        if (typeof id === 'string') return { id, values }
      }
    } catch {
      // Whatever is wrong with it: it is not of this query.
    }
  }
  throw invalidQuery('after must be the next of a page of the same query')
}
