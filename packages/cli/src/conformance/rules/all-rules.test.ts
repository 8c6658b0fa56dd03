/** What holds of the rules as a list. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { allRules } from './all-rules.ts'

const page = readFileSync(new URL('../../../../../docs/protocol.md', import.meta.url), 'utf8')

describe('rules', () => {
  test('ids and sentences -> each there once', () => {
    expect(repeatedOf(allRules.map(({ id }) => id))).toEqual([])
    expect(repeatedOf(allRules.map(({ holds }) => holds))).toEqual([])
  })

  test('ids -> an area and a name', () => {
    expect(allRules.filter(({ id }) => !/^[a-z]+\/[a-z0-9-]+$/.test(id))).toEqual([])
  })

  test('sections -> each one that the page has', () => {
    const sections = [...page.matchAll(/^##+ ([0-9.]+) /gm)].map(([, number]) => number ?? '')
    expect(allRules.filter(({ section }) => !sections.includes(section))).toEqual([])
  })

  test('sections with requests -> each has a rule', () => {
    const asked = new Set(allRules.map(({ section }) => section))
    const seen = [
      '2',
      '3',
      '4',
      '4.1',
      '4.2',
      '5',
      '5.1',
      '5.2',
      '6',
      '7',
      '8',
      '8.1',
      '8.2',
      '8.3',
      '8.4',
    ]
    expect([...seen, '9', '13', '14', '15'].filter((section) => !asked.has(section))).toEqual([])
  })
})

function repeatedOf(values: readonly string[]): string[] {
  return values.filter((value, i) => values.indexOf(value) !== i)
}
