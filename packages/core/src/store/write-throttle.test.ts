import { expect, test } from 'vitest'
import { WriteThrottle } from './write-throttle.ts'

const before = { walBytes: 1000, nodeBytes: 500 }
const room = { walBytes: 100, nodeBytes: 1000 }

test.each([
  ['nothing written, nothing added', 0, 0, 0, false],
  ['nothing written, log added', 0, 1, 0, true],
  ['nothing written, nodes added', 0, 0, 1, true],
  ['half written, half of both rooms taken', 5, 50, 500, false],
  ['half written, more of the log', 5, 51, 0, true],
  ['half written, more of the memory', 5, 0, 501, true],
  ['all written, all taken', 10, 100, 1000, false],
  ['more written than was known of, all taken', 20, 200, 2000, false],
])('throttle: %s', (_, nodesWritten, walBytes, nodeBytes, expected) => {
  const throttle = new WriteThrottle()
  throttle.begin(10, before, room)
  const load = {
    walBytes: before.walBytes + walBytes,
    nodeBytes: before.nodeBytes + nodeBytes,
  }
  expect(throttle.isAhead(load, nodesWritten)).toBe(expected)
})

test('throttle: a checkpoint of nothing -> no division by zero', () => {
  const throttle = new WriteThrottle()
  throttle.begin(0, before, room)
  expect(throttle.isAhead(before, 0)).toBe(false)
  expect(throttle.isAhead({ ...before, walBytes: 1001 }, 0)).toBe(true)
})
