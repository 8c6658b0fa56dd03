/** The table of the client's states in `docs/sync-client.md` says exactly what the machine does. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { CYCLE_EVENTS, CYCLE_STATES, type CycleState, nextState } from './cycle-machine.ts'

const CALLS: readonly string[] = ['start', 'begin', 'stop']

const page = readFileSync(new URL('../../../../docs/sync-client.md', import.meta.url), 'utf8')

/** `event -> next state` by state, as the page has it. */
function tableOfPage(): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const rows = page.matchAll(/^\| `(\w+)` \|[^|]*\|([^|]*->[^|]*)\|[^|]*\|$/gm)
  return new Map(
    [...rows].map(([, state = '', cell = '']) => [
      state,
      new Map(
        [...cell.matchAll(/`(\w+)`(?: \([^)]*\))? -> `(\w+)`/g)].map(
          ([, event = '', next = '']) => [event, next],
        ),
      ),
    ]),
  )
}

test('page: every state and transition -> as in the machine, none missing or made up', () => {
  const table = tableOfPage()
  expect([...table.keys()]).toEqual([...CYCLE_STATES])
  for (const state of CYCLE_STATES) {
    const listed = table.get(state) ?? new Map()
    expect(CYCLE_EVENTS).toEqual(expect.arrayContaining([...listed.keys()]))
    for (const event of CYCLE_EVENTS) {
      const next = listed.get(event)
      if (next !== undefined)
        expect([state, event, nextState(state, event)]).toEqual([state, event, next])
      else expectNoTransition(state, event)
    }
  }
})

/** Calls leave the state as it is, or are refused; an outcome of a step that does not run is a bug. */
function expectNoTransition(state: CycleState, event: (typeof CYCLE_EVENTS)[number]): void {
  const isIgnored = state === 'stopped' ? event !== 'begin' : CALLS.includes(event)
  if (isIgnored) expect([state, event, nextState(state, event)]).toEqual([state, event, state])
  else expect(() => nextState(state, event)).toThrow()
}
