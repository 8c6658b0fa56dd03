/** The examples of `docs/encoding.md` are what the codec does. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { toHex } from './codec.test-kit.ts'
import { encodeEntity } from './entity-encoder.ts'

const page = readFileSync(new URL('../../../../docs/encoding.md', import.meta.url), 'utf8')

test('docs/encoding.md: the worked example -> its bytes', () => {
  const listing = /```hex\n(.*?)```/s.exec(page)?.[1] ?? ''
  // Bytes are set off from their explanation by two spaces or more.
  const hex = listing.split('\n').map((line) => line.trim().split('  ')[0]?.replaceAll(' ', ''))
  const value = {
    id: 'p1',
    name: 'Zoë',
    tags: ['a', 'b'],
    age: 36,
    score: 0.5,
    born: new Date(-1),
    joined: new Date(1700000000000),
    points: 1n,
    photo: new Uint8Array([0xca, 0xfe]),
    nick: undefined,
  }
  expect(hex.join('')).toBe(toHex(encodeEntity(value)))
})

test('docs/encoding.md: the table of single values -> their bytes', () => {
  const values = [2 ** 53 - 1, 2 ** 53, 1.5, 1.1, 100000.5, -1n, 2n ** 64n, new Date(1500)]
  for (const value of values) expect(page).toContain(`\`${toHex(encodeEntity(value))}\``)
})
