/** Where an entity has its id, so that a packed page need not have it twice. */
import { CborReader, DEPTH_MAX } from '@entidb/core/cbor'

const ID_KEY = Uint8Array.of(0x62, 0x69, 0x64)
/** Keys are by length: few are shorter than this one. */
const KEYS_MAX = 16

/**
 * Index in `entity` of the text under its key `id`, if that is `id`, which is encoded. 0 if it is another one or not
 * under one of the first keys, and for bytes that are no map: nobody need have looked at them before.
 */
export function idOffsetIn(entity: Uint8Array, id: Uint8Array): number {
  const reader = new CborReader(entity)
  try {
    for (let left = Math.min(reader.readMapHeader(), KEYS_MAX); left > 0; left--) {
      if (reader.passIf(ID_KEY)) {
        const offset = reader.position
        return reader.passIf(id) ? offset : 0
      }
      reader.skip(0)
      reader.skip(DEPTH_MAX)
    }
  } catch {
    // Not CBOR: as good as without an id.
  }
  return 0
}
