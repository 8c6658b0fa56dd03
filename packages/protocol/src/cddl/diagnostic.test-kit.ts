/** Prints an item in diagnostic notation (RFC 8949, section 8), as the vectors have it. */
import { type CborItem, parseCborItem } from './cbor-item.test-kit.ts'

const SIMPLE_NAMES: Readonly<Record<number, string>> = {
  20: 'false',
  21: 'true',
  22: 'null',
  23: 'undefined',
}

export function diagnosticOf(bytes: Uint8Array): string {
  return print(parseCborItem(bytes))
}

function print(item: CborItem): string {
  switch (item.kind) {
    case 'int':
      return `${item.value}${item.indicator}`
    case 'bytes':
      return `h'${Buffer.from(item.value).toString('hex')}'`
    case 'text':
      return JSON.stringify(item.value)
    case 'array':
      return `[${item.items.map(print).join(', ')}]`
    case 'map':
      return `{${item.entries.map(([key, value]) => `${print(key)}: ${print(value)}`).join(', ')}}`
    case 'tag':
      return `${item.tag}(${print(item.content)})`
    case 'simple':
      return SIMPLE_NAMES[item.value] ?? `simple(${item.value})`
    case 'float':
      return `${printFloat(item.value)}${item.indicator}`
  }
}

function printFloat(value: number): string {
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return /^-?[0-9]+$/.test(text) ? `${text}.0` : text
}
