import { describe, expect, test } from 'vitest'
import { defineApplication } from '../application/application.ts'
import { smallNotes } from '../application/small-notes.ts'
import { estimateRuns } from './estimate-runs.ts'
import { type ExploreOptions, explore } from './explore.ts'
import type { SmallScope } from './small-scope.ts'
import type { Trial } from './try-choices.ts'

const TIMEOUT_MS = 300_000

test.each([{ faults: ['lsot'] }, { actions: [] }, { faultsMax: Number.NaN }, { fault: ['lost'] }])(
  'scope: %o -> refused, instead of one in which nothing goes wrong',
  async (wrong) => {
    const scope = { ...scopeOf('edit'), ...wrong } as SmallScope
    await expect(explore(scope, smallNotes)).rejects.toThrow(TypeError)
  },
)

const scopeOf = (...actions: readonly string[]) => ({ actions, resolver: 'union', faultsMax: 0 })

/** What each device and the server went through, without the order between them. */
function historiesOf({ log }: Trial): string {
  const lines = log.map((line) => line.slice('    0.000 '.length))
  return lines.sort((a, b) => actorOf(a).localeCompare(actorOf(b))).join('\n')
}

function actorOf(line: string): string {
  return line.slice(0, line.indexOf(' '))
}

interface Explored {
  readonly runs: number
  /** Those that were not left early. */
  readonly ended: number
  /** What was seen in them. */
  readonly seen: readonly string[]
}

/** All runs, and what `look` sees in each. */
async function exploreWholly(
  scope: SmallScope,
  look: (trial: Trial) => string,
  options: ExploreOptions = {},
): Promise<Explored> {
  const seen: string[] = []
  const { runs, isComplete, failure } = await explore(scope, smallNotes, {
    ...options,
    onRun(trial) {
      if (trial.outcome !== undefined) seen.push(look(trial))
    },
  })
  expect(failure).toBeUndefined()
  expect(isComplete).toBe(true)
  return { runs, ended: seen.length, seen: [...new Set(seen)].sort() }
}

const outcomeOf = ({ outcome = '' }: Trial): string => outcome
/** Both edit before they sync. */
const EDITED = [1, 1]

describe('every interleaving', { timeout: TIMEOUT_MS }, () => {
  test('two devices edit and sync: without orders that only swap what commutes -> the histories of all orders, each once', async () => {
    const scope = scopeOf('edit', 'edit')
    const reduced = await exploreWholly(scope, historiesOf)
    const all = await exploreWholly(scope, historiesOf, { isReduced: false })
    expect(reduced.seen).toEqual(all.seen)
    expect(reduced.ended).toBe(reduced.seen.length)
    expect(reduced.runs).toBeLessThan(all.runs / 2)
  })

  test.each([
    { actions: ['edit', 'look'], faults: ['lost'] },
    { actions: ['look', 'look'], faults: ['server'] },
    { actions: ['edit', 'look'], faults: ['serverRestore'] },
  ] as const)(
    '$actions, then both sync, a fault anywhere ($faults): the same -> the same',
    async (parts) => {
      const scope: SmallScope = { ...parts, resolver: 'union', faultsMax: 1 }
      const reduced = await exploreWholly(scope, historiesOf, { from: EDITED })
      const all = await exploreWholly(scope, historiesOf, { from: EDITED, isReduced: false })
      expect(reduced.seen).toEqual(all.seen)
      expect(reduced.runs).toBeLessThan(all.runs / 2)
    },
  )

  test('one device edits and syncs, any fault anywhere: without power losses that change nothing -> ends as with them', async () => {
    const scope: SmallScope = { ...scopeOf('edit'), faultsMax: 1 }
    const reduced = await exploreWholly(scope, outcomeOf)
    const all = await exploreWholly(scope, outcomeOf, { isReduced: false })
    expect(reduced.seen).toEqual(all.seen)
    expect(reduced.runs).toBeLessThan(all.runs)

    const none = await exploreWholly(scopeOf('edit'), outcomeOf)
    let faulty = 0
    for (const fault of ['lost', 'device', 'server'] as const) {
      const { runs } = await exploreWholly({ ...scope, faults: [fault] }, outcomeOf)
      faulty += runs - none.runs
    }
    expect(reduced.runs).toBe(none.runs + faulty)
  })

  test('one device edits and syncs, and gets back the files of any time before: each edit is lost with them, or is there', async () => {
    const scope: SmallScope = { ...scopeOf('edit'), faultsMax: 1, faults: ['deviceRestore'] }
    const reduced = await exploreWholly(scope, outcomeOf)
    const all = await exploreWholly(scope, outcomeOf, { isReduced: false })
    expect(reduced.seen).toEqual(all.seen)
    const isThere = reduced.seen.map((outcome) => outcome.includes('d1 edit'))
    expect(new Set(isThere)).toEqual(new Set([true, false]))
  })

  test('how many runs there are: guessed from 60 of them -> within three times its error', async () => {
    const scope: SmallScope = { ...scopeOf('edit'), faultsMax: 1 }
    const { runs } = await exploreWholly(scope, outcomeOf)
    const guess = await estimateRuns(scope, smallNotes, 60)
    expect(Math.abs(guess.runs - runs)).toBeLessThan(3 * guess.standardError)
    expect(guess.standardError).toBeLessThan(runs / 4)
  })

  test('an invariant that one interleaving breaks -> found, with the choices that repeat it', async () => {
    const strict = defineApplication({
      ...smallNotes,
      invariant: (entities) => {
        const [note] = (entities.get('notes') ?? []) as readonly { readonly tokens?: unknown }[]
        return Array.isArray(note?.tokens) && note.tokens.length > 2 ? 'both edits' : undefined
      },
    })
    const { failure } = await explore(scopeOf('edit', 'edit'), strict)
    expect(failure?.failure.message).toBe('both edits')
    const again = await explore(scopeOf('edit', 'edit'), strict, {
      from: failure?.choices ?? [],
      runsMax: 1,
    })
    expect(again.failure?.log.join('\n')).toBe(failure?.log.join('\n'))
  })
})
