/**
 * The checker is checked: bugs that sync is known to get wrong, put into copies of the packages, must be
 * noticed. Here those that few seeds find; `npm run sim -- --mutants` runs all.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mutants } from './mutants.mjs'
import { MutatedPackages, mutated } from './mutated-packages.mjs'

/** As a rule a tenth of them is enough: which seeds find a bug changes with every change of what they do. Others take minutes. */
const SEEDS_MAX = 50

describe('simulator', () => {
  let packages: MutatedPackages

  beforeAll(() => {
    packages = new MutatedPackages()
  }, 60_000)
  afterAll(() => {
    packages.remove()
  }, 60_000)

  test('mutants: fifteen at least, each another one', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(15)
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
  })

  test('mutants: each fits the sources as they are', () => {
    for (const { edits } of mutants) expect(mutated(edits).length).toBeGreaterThan(0)
  })

  test.each(mutants.filter(({ seedsMax }) => seedsMax <= SEEDS_MAX))(
    '$hazard: $name -> noticed within $seedsMax seeds',
    {
      timeout: 300_000,
    },
    async ({ edits, seedsMax }) => {
      expect(await packages.firstFailure(edits, seedsMax)).not.toBeNull()
    },
  )
})
