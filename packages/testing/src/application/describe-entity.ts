/** Entities as a person reads them in the event log. */
import { decodeEntity } from '@entidb/core/cbor'

/** The content without its id; `gone` for none. */
export function describeBytes(bytes: Uint8Array | null): string {
  if (bytes === null) return 'gone'
  const { id: _, ...rest } = decodeEntity(bytes) as Record<string, unknown> // an entity is a map
  return JSON.stringify(rest).replaceAll('"', '')
}
