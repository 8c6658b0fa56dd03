import { describe, expect, test } from 'vitest'
import { nodeLineWarning } from './node-lines.ts'

const date = (text: string): number => Date.parse(text)

describe('nodeLineWarning', () => {
  test.each([
    ['20.20.2', '2026-04-29', false],
    ['20.20.2', '2026-11-23', true],
    ['24.1.0', '2026-11-23', false],
    ['24.1.0', '2028-05-01', true],
    ['18.0.0', '2026-01-01', true],
    ['99.0.0', '2026-01-01', false],
  ])('Node %s on %s -> %s', (version, day, warns) => {
    expect(nodeLineWarning(version, date(day)) !== undefined).toBe(warns)
  })
})
