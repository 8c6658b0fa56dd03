import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBytes } from '../store/bytes.ts'
import { KeyList } from './key-list.ts'

function listOf(keys: readonly Uint8Array[]): KeyList {
  const list = new KeyList()
  for (const key of keys) list.add(key)
  return list
}

function sorted(keys: readonly Uint8Array[]): Uint8Array[] {
  const list = listOf(keys)
  return Array.from(list.sortedPositions(), (position) => list.at(position))
}

describe('key list', () => {
  test('any keys -> as compareBytes sorts them', () => {
    const key = fc.array(fc.constantFrom(0, 1, 255), { maxLength: 12 })
    fc.assert(
      fc.property(fc.array(key, { maxLength: 200 }), (bytes) => {
        const keys = bytes.map((one) => Uint8Array.from(one))
        expect(sorted(keys)).toEqual([...keys].sort(compareBytes))
      }),
    )
  })

  test('texts, ASCII and others, that outgrow the first bytes -> their UTF-8', () => {
    const texts = Array.from({ length: 600 }, (_, i) => (i % 7 === 0 ? `é${i}` : `text ${i}`))
    const list = new KeyList()
    for (const text of texts) list.addText(text)
    const encoder = new TextEncoder()
    for (const [i, text] of texts.entries()) expect(list.at(i)).toEqual(encoder.encode(text))
  })

  test('many keys with long common beginnings -> in order', () => {
    const keys = Array.from({ length: 5000 }, (_, i) =>
      new TextEncoder().encode(`common beginning ${(i * 7919) % 5000} of all`),
    )
    expect(sorted(keys)).toEqual([...keys].sort(compareBytes))
  })

  test('many equal keys -> all there', () => {
    const keys = Array.from({ length: 100 }, (_, i) => Uint8Array.of(1, 2, 3, 4, 5, i % 2))
    expect(sorted(keys).map((key) => key[5])).toEqual([...Array(50).fill(0), ...Array(50).fill(1)])
    expect(new Set(listOf(keys).sortedPositions()).size).toBe(100)
  })
})
