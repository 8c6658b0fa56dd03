/** Entities as a person reads them in the event log. */
import { decodeEntity } from '@entidb/core/cbor'

/** The content without its id; `gone` for none. */
export function describeBytes(bytes: Uint8Array | null): string {
  if (bytes === null) return 'gone'
  const { id: _, ...rest } = decodeEntity(bytes) as Record<string, unknown> // an entity is a map
  return describeValue(rest)
}

/** As JSON without its quotation marks, and with what JSON has no words for. */
export function describeValue(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === 'bigint') return `${each}n`
    if (each instanceof Uint8Array) return `bytes ${Buffer.from(each).toString('hex')}`
    if (typeof each === 'number' && !Number.isFinite(each)) return String(each)
    return Object.is(each, -0) ? '-0' : each
  }).replaceAll('"', '')
}
