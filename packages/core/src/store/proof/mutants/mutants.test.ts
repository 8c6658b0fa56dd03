/** The checks are checked: each of these bugs, put into a copy of the sources, is noticed. */
import { availableParallelism } from 'node:os'
import { afterAll, describe, expect, test } from 'vitest'
import { type Mutant, mutants } from './mutants.test-kit.ts'
import { MutatedSources, withBug } from './mutated-sources.test-kit.ts'
import type { Verdict } from './run-checks.test-kit.ts'

const sources = new MutatedSources()
afterAll(() => sources.remove())

/** Without a bug for the sources as they are. Other tests run beside these: half of the processors do. */
const verdicts = new Map<Mutant | undefined, Promise<Verdict>>()
const processors: Promise<unknown>[] = Array(Math.ceil(availableParallelism() / 2)).fill(
  Promise.resolve(),
)
for (const [index, mutant] of [undefined, ...mutants].entries()) {
  const processor = index % processors.length
  const verdict = Promise.resolve(processors[processor]).then(() => sources.verdictOn(mutant))
  processors[processor] = verdict.catch(() => {})
  verdicts.set(mutant, verdict)
}

describe('checks', { timeout: 200_000 }, () => {
  test.each(mutants)('bug: $name -> noticed', async (mutant) => {
    const verdict = await verdicts.get(mutant)
    expect(verdict?.message).toBeTypeOf('string')
    expect(verdict?.noticedBy).toBe(mutant.noticedBy)
  })

  test('sources: as they are -> no check fails', async () => {
    expect(await verdicts.get(undefined)).toEqual({})
  })
})

test('mutant: its text is not there, or twice -> stale', () => {
  const mutant = {
    name: 'b',
    noticedBy: 'bit rot',
    file: 'a.ts',
    find: 'b',
    replace: '$&',
  } as const
  expect(() => withBug('ac', mutant)).toThrow('stale mutant')
  expect(() => withBug('bb', mutant)).toThrow('stale mutant')
  expect(withBug('abc', mutant)).toBe('a$&c')
})
