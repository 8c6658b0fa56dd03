import { describe, expect, test } from 'vitest'
import { NEXT_EPOCH, OracleHistory } from './oracle-history.test-kit.ts'
import { Violation } from './violation.ts'

/** The server has note n from d1 at 1, and its delete at 2. */
function deletedNote(): OracleHistory {
  const history = new OracleHistory()
  history.writes('d1', {}, { n: 'a' })
  history.accepts('d1', 0, { n: 'a' })
  history.writes('d1', { n: 'a' }, {})
  history.accepts('d1', 1, { n: null })
  return history
}

describe('oracle: a device that never showed what was deleted', () => {
  test('it was told of the delete, writes, the server goes back behind it -> was made on that', () => {
    const history = deletedNote()
    history.shows('d2', {}, { n: 2 })
    history.restoresServer('d1', 1, ['n', 'a'])
    history.writes('d2', {}, { n: 'b' })
    history.accepts('d2', NEXT_EPOCH, { n: 'b' })
    expect(String(history.oracle.server.node('notes/n'))).toContain('b')
  })

  test('it was not told of the delete -> its write overwrites what it has not seen', () => {
    const history = deletedNote()
    history.shows('d2', {})
    history.restoresServer('d1', 1, ['n', 'a'])
    history.writes('d2', {}, { n: 'b' })
    expect(() => history.accepts('d2', NEXT_EPOCH, { n: 'b' })).toThrow(Violation)
  })

  test('it went back to a copy from before it was told -> it does not know of the delete', () => {
    const history = deletedNote()
    const copied = history.oracle.device('d2').rememberedDeletes()
    history.shows('d2', {}, { n: 2 })
    history.oracle.deviceRestored('d2', new Map(), copied, new Set())
    history.restoresServer('d1', 1, ['n', 'a'])
    history.writes('d2', {}, { n: 'b' })
    expect(() => history.accepts('d2', NEXT_EPOCH, { n: 'b' })).toThrow(Violation)
  })

  test('it had written where nothing was, then was told of the delete -> nothing competes', () => {
    const history = deletedNote()
    history.writes('d2', {}, { n: 'b' })
    history.shows('d2', { n: 'b' }, { n: 2 })
    history.restoresServer('d1', 1, ['n', 'a'])
    history.accepts('d2', NEXT_EPOCH, { n: 'b' })
    expect(String(history.oracle.server.node('notes/n'))).toContain('b')
  })

  test('it had edited what was there, and says that its edit stands on the delete -> it does not', () => {
    const history = deletedNote()
    history.shows('d2', { n: 'a' }, { n: 1 })
    history.writes('d2', { n: 'a' }, { n: 'b' })
    history.shows('d2', { n: 'b' }, { n: 2 })
    expect(() => history.accepts('d2', 2, { n: 'b' })).toThrow(Violation)
  })

  test('another delete followed, of which it was not told -> that is not what it shows', () => {
    const history = deletedNote()
    history.shows('d2', { n: 'a' }, { n: 1 })
    history.writes('d1', {}, { n: 'c' })
    history.accepts('d1', 2, { n: 'c' })
    history.writes('d1', { n: 'c' }, {})
    history.accepts('d1', 3, { n: null })
    history.shows('d2', {}, { n: 2 })
    history.writes('d2', {}, { n: 'b' })
    history.restoresServer('d1', 3, ['n', 'c'])
    expect(() => history.accepts('d2', NEXT_EPOCH, { n: 'b' })).toThrow(Violation)
  })
})

describe('oracle: a device that deleted the same', () => {
  /** d2 deleted what it had made of the note since; d1's delete came first. */
  function deletedTwice(): OracleHistory {
    const history = deletedNote()
    history.shows('d2', { n: 'a' }, { n: 1 })
    history.oracle.device('d2').assertCursor(1, false)
    history.writes('d2', { n: 'a' }, { n: 'b' })
    history.shows('d2', { n: 'b' }, { n: 1 })
    history.writes('d2', { n: 'b' }, {}).acknowledged = true
    history.shows('d2', {}, { n: 1 })
    return history
  }

  test('it was told of the other delete, the server goes back behind that -> its own is lost, too', () => {
    const history = deletedTwice()
    history.shows('d2', {}, { n: 2 })
    history.restoresServer('d1', 1, ['n', 'a'])
    history.shows('d2', { n: 'a' }, { n: 1 })
    history.oracle.assertNothingLost()
    expect(history.oracle.device('d2').node('notes/n').isGone).toBe(false)
  })

  test('it was not told -> its own must not be lost', () => {
    const history = deletedTwice()
    history.restoresServer('d1', 1, ['n', 'a'])
    expect(() => history.oracle.assertNothingLost()).toThrow(Violation)
    expect(() => history.shows('d2', { n: 'a' }, { n: 1 })).toThrow(Violation)
  })
})

const nothing = { absences: new Map(), toldDeletes: new Map() }

describe('oracle: what a restored server lost', () => {
  /** d1 wrote m, then n, which d2 has too; the server and d1 went back to where there was no n. */
  function lostNote(): OracleHistory {
    const history = new OracleHistory()
    history.writes('d1', {}, { m: 'a' })
    history.accepts('d1', 0, { m: 'a' })
    history.writes('d1', {}, { n: 'b' }).acknowledged = true
    history.shows('d1', { n: 'b' })
    history.accepts('d1', 1, { n: 'b' })
    history.shows('d2', { n: 'b' }, { n: 2 })
    history.restoresServer('d1', 1, ['m', 'a'])
    history.oracle.deviceRestored('d1', new Map(), nothing, new Set(['d1']))
    return history
  }

  test('another device has it -> it must come back', () => {
    expect(() => lostNote().oracle.assertNothingLost()).toThrow(Violation)
  })

  test('the last device that had it goes back to a copy, too -> it is lost', () => {
    const history = lostNote()
    history.oracle.deviceRestored('d2', new Map(), nothing, new Set(['d2']))
    history.oracle.assertNothingLost()
    expect(history.oracle.server.node('notes/n').isGone).toBe(true)
  })

  test('a device goes back to a copy that had nothing of it -> it must come back', () => {
    const history = lostNote()
    history.shows('d3', {})
    history.oracle.deviceRestored('d3', new Map(), nothing, new Set(['d3']))
    expect(() => history.oracle.assertNothingLost()).toThrow(Violation)
  })
})

describe('oracle: a restored server has again what it lost, and a device makes something of it', () => {
  /** `lost`: which of the two notes was. d1 changed n, and wrote k with that. */
  function changedSince(lost: 'm' | 'n'): OracleHistory {
    const history = new OracleHistory()
    const kept = lost === 'm' ? 'n' : 'm'
    history.writes('d1', {}, { m: 'a', n: 'a' }).isAtomic = false
    history.accepts('d1', 0, { [kept]: 'a', [lost]: 'a' })
    history.shows('d2', { m: 'a', n: 'a' }, { [kept]: 1, [lost]: 2 })
    history.restoresServer('d1', 1, [kept, 'a'])
    history.accepts('d1', NEXT_EPOCH, { [lost]: 'a' })
    history.writes('d1', { n: 'a' }, { n: 'b', k: 'c' })
    history.accepts('d1', NEXT_EPOCH + 1, { n: 'b', k: 'c' })
    return history
  }

  test('another one offers it still, and was not told that it is there again -> that meets an edit', () => {
    const history = changedSince('n')
    history.shows('d2', { m: 'a', n: 'a', k: 'c' }, { m: 1, k: NEXT_EPOCH + 3 })
    expect(history.oracle.device('d2').node('notes/k').isGone).toBe(false)
  })

  test.each([
    ['it was told that it is there again', 'n', { m: 1, n: NEXT_EPOCH + 1, k: NEXT_EPOCH + 3 }],
    ['the server never lost it', 'm', { k: NEXT_EPOCH + 3 }],
  ] as const)('%s -> a part of what was written together is a violation', (_, lost, revisions) => {
    const history = changedSince(lost)
    const shown = { m: 'a', n: 'a', k: 'c' }
    expect(() => history.shows('d2', shown, revisions)).toThrow(Violation)
  })
})

describe('oracle: a form saved late over what it has not shown', () => {
  /** d1 shows b, made on a by d2. */
  function overwrittenNote(): OracleHistory {
    const history = new OracleHistory()
    history.writes('d2', {}, { n: 'a' })
    history.accepts('d2', 0, { n: 'a' })
    history.writes('d2', { n: 'a' }, { n: 'b' })
    history.accepts('d2', 1, { n: 'b' })
    history.shows('d1', { n: 'b' }, { n: 2 })
    return history
  }

  test('the note is deleted in the next commit, both are looked at together -> shown', () => {
    const history = overwrittenNote()
    history.writes('d1', { n: 'b' }, { n: 'c' }, { n: 'a' })
    history.writes('d1', { n: 'c' }, {})
    history.shows('d1', {}, { n: 1 })
    expect(history.oracle.device('d1').node('notes/n').isGone).toBe(true)
    // It is shown, and was not made on b all the same.
    expect(() => history.accepts('d1', 2, { n: null })).toThrow(Violation)
  })

  test('another device saved it late and edited it -> must not be shown over it', () => {
    const history = overwrittenNote()
    history.writes('d3', { n: 'b' }, { n: 'c' }, { n: 'a' })
    history.writes('d3', { n: 'c' }, { n: 'd' })
    expect(() => history.shows('d1', { n: 'd' }, { n: 1 })).toThrow(Violation)
  })
})

describe('oracle: two devices that wrote the same', () => {
  /** The server has n from d1, and its delete at 2. */
  function deletedSince(history: OracleHistory): OracleHistory {
    history.writes('d1', { n: 'a' }, {})
    history.accepts('d1', 1, { n: null })
    return history
  }

  function created(): OracleHistory {
    const history = new OracleHistory()
    history.writes('d1', {}, { n: 'a' })
    history.accepts('d1', 0, { n: 'a' })
    return history
  }

  test('the other one deleted its own, and this one goes on with its own -> it was made on nothing', () => {
    const history = created()
    history.writes('d2', {}, { n: 'a' })
    deletedSince(history)
    history.writes('d2', { n: 'a' }, { n: 'b' })
    history.accepts('d2', 2, { n: 'b' })
    expect(String(history.oracle.server.node('notes/n'))).toContain('b')
  })

  test('this one had it from the server -> it brings back what was deleted', () => {
    const history = created()
    history.shows('d2', { n: 'a' }, { n: 1 })
    deletedSince(history)
    history.writes('d2', { n: 'a' }, { n: 'b' })
    expect(() => history.accepts('d2', 2, { n: 'b' })).toThrow(Violation)
  })
})

describe('oracle: two files of one device', () => {
  /** The server accepted n from d1, then m and n together from d2; `shares`: that pushes as d1 does. */
  function editedTogether(shares: boolean): OracleHistory {
    const history = new OracleHistory()
    const { server } = history.oracle
    history.writes('d1', {}, { n: 'a' })
    history.shows('d1', { n: 'a' })
    history.accepts('d1', 0, { n: 'a' })
    history.shows('d2', { n: 'a' }, { n: 1 })
    history.writes('d2', { n: 'a' }, { n: 'b', m: 'c' })
    if (shares) server.knowDevice('d2', 'd1')
    history.accepts('d2', 1, { n: 'b', m: 'c' })
    return history
  }

  test('the server forgot for one what it accepted of the other -> its edit is in the way of theirs', () => {
    const history = editedTogether(true)
    history.shows('d1', { n: 'a', m: 'c' }, { m: 3 })
    expect(history.oracle.device('d1').node('notes/m').isGone).toBe(false)
  })

  test.each([
    ['it knows that its edit was accepted', true, { n: 1, m: 3 }],
    ['nobody else pushes as this device', false, { m: 3 }],
  ] as const)(
    '%s -> the part of what was written together is a violation',
    (_, shares, revisions) => {
      const history = editedTogether(shares)
      expect(() => history.shows('d1', { n: 'a', m: 'c' }, revisions)).toThrow(Violation)
    },
  )
})
