import { expect, test } from 'vitest'
import { Doorkeeper } from './doorkeeper.ts'

const idOf = (i: number): string => `person-${i}`

test('asked for again within the window -> mostly seen; for the first time, or long ago -> hardly ever', () => {
  const count = 20_000
  const doorkeeper = new Doorkeeper(count)
  const first = Array.from({ length: count }, (_, i) => doorkeeper.wasSeen(idOf(i)))
  expect(first.filter((seen) => seen).length).toBeLessThan(count / 100)
  const again = Array.from({ length: count }, (_, i) => doorkeeper.wasSeen(idOf(i)))
  expect(again.filter((seen) => seen).length).toBeGreaterThan(0.7 * count)
  for (let i = 0; i < count; i++) doorkeeper.wasSeen(`other-${i}`)
  const late = Array.from({ length: 100 }, (_, i) => doorkeeper.wasSeen(idOf(i)))
  expect(late.filter((seen) => seen).length).toBeLessThan(5)
})
