import { describe, expect, test } from 'vitest'
import { defineApplication } from '../application/application.ts'
import { tokenNotes } from '../application/token-notes.ts'
import { Choices } from './choices.ts'
import { explore } from './explore.ts'

const small = tokenNotes({ notes: 1, accounts: 2, twins: 1 })
/** All take minutes: `npm run sim -- --exhaustive`. */
const RUNS = Number(process.env.SIM_RUNS ?? 40)

describe('small scope', () => {
  test('choices: depth first -> every sequence once', () => {
    const seen: string[] = []
    for (let prefix: readonly number[] | undefined = []; prefix !== undefined; ) {
      const choices: Choices = new Choices(prefix)
      const first = choices.choose(2)
      if (first === 1) choices.choose(3)
      seen.push(choices.taken.join(''))
      prefix = choices.next()
    }
    expect(seen).toEqual(['0', '10', '11', '12'])
  })

  test('one device edits and syncs once: every interleaving -> nothing wrong, and all are tried', {
    timeout: 60_000,
  }, async () => {
    const scope = { actions: ['edit'], resolver: 'union', faultsMax: 0 }
    const { runs, isComplete, failure } = await explore(scope, small)
    expect(failure).toBeUndefined()
    expect(isComplete).toBe(true)
    expect(runs).toBeGreaterThan(3)
  })

  test(`two devices, with a lost answer or a power loss: the first ${RUNS} runs -> nothing wrong`, {
    timeout: 60_000 + RUNS * 3_000,
  }, async () => {
    const scope = { actions: ['editTwo', 'transfer'], resolver: 'union', faultsMax: 1 }
    const { runs, failure } = await explore(scope, small, { runsMax: RUNS })
    expect(failure).toBeUndefined()
    expect(runs).toBe(RUNS)
  })

  test('an invariant that one interleaving breaks -> found, with the choices that repeat it', {
    timeout: 300_000,
  }, async () => {
    const strict = defineApplication({
      ...small,
      invariant: (entities) => {
        const [note] = (entities.get('notes') ?? []) as readonly { readonly tokens?: unknown }[]
        return Array.isArray(note?.tokens) && note.tokens.length > 1 ? 'both edits' : undefined
      },
    })
    const scope = { actions: ['edit', 'edit'], resolver: 'union', faultsMax: 0 }
    const found = await explore(scope, strict, { runsMax: 300 })
    expect(found.failure?.error.message).toBe('both edits')
    const again = await explore(scope, strict, { from: found.failure?.choices ?? [], runsMax: 1 })
    expect(again.failure?.log.join('\n')).toBe(found.failure?.log.join('\n'))
  })
})
