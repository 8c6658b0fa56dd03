import { describe, expect, test } from 'vitest'
import { NEXT_EPOCH, OracleHistory } from './oracle-history.test-kit.ts'
import { Violation } from './violation.ts'

/** The server has note n from d1; d2 wrote another one, without having seen that. */
function competing(): OracleHistory {
  const history = new OracleHistory()
  history.writes('d1', {}, { n: 'a' })
  history.accepts('d1', 0, { n: 'a' })
  history.writes('d2', {}, { n: 'b' })
  return history
}

describe('oracle: decisions', () => {
  test.each(['a', 'b', 'both'])(
    'merged to %s, and asked again because a crash came before that was done -> competing still',
    (merged) => {
      const history = competing()
      history.decides('d2', ['b', 'a'], 1, merged)
      history.decides('d2', ['b', 'a'], 1, merged)
    },
  )

  test('what led to an edit was kept over what came later -> competes with it', () => {
    const history = competing()
    history.decides('d2', ['b', 'a'], 1, 'both')
    history.decides('d2', ['b', 'a'], 1, undefined)
    history.accepts('d2', 1, { n: 'b' })
    history.writes('d3', {}, { n: 'both' })
    history.decides('d3', ['both', 'b'], 2, 'all')
  })

  test('a restored server gave the number to another entity -> what is shown is a state of this one', () => {
    const history = new OracleHistory()
    history.writes('d1', {}, { m: 'c' })
    history.accepts('d1', 0, { m: 'c' })
    history.writes('d1', { m: 'c' }, { m: 'c', n: 'a' })
    history.accepts('d1', NEXT_EPOCH, { n: 'a' })
    history.writes('d2', {}, { n: 'b' })
    history.restoresServer('d1', 1, ['m', 'c'])
    history.writes('d1', { m: 'c' }, { m: 'd' })
    history.accepts('d1', NEXT_EPOCH, { m: 'd' })
    history.decides('d2', ['b', 'a'], NEXT_EPOCH + 1, 'both')
  })

  describe('a device deleted twice, and the server has one of the deletes; an edit made where nothing was stands on that', () => {
    /** d1 wrote a, deleted it, wrote c and deleted that; `sent`: which delete the server has after a. */
    function deletedTwice(sent: 'first' | 'last'): OracleHistory {
      const history = new OracleHistory()
      history.writes('d2', {}, { n: 'b' })
      history.writes('d1', {}, { n: 'a' })
      history.accepts('d1', 0, { n: 'a' })
      const first = history.writes('d1', { n: 'a' }, {})
      history.writes('d1', {}, { n: 'c' })
      const last = history.writes('d1', { n: 'c' }, {})
      // An operation has the number of its revision.
      first.opIds = sent === 'first' ? [2] : [3]
      last.opIds = sent === 'first' ? [5] : [2]
      history.accepts('d1', 1, { n: null })
      history.shows('d2', { n: 'b' }, { n: 2 })
      return history
    }

    test('the first was sent -> what came between the two competes with the edit', () => {
      const history = deletedTwice('first')
      history.accepts('d1', 2, { n: 'c' })
      history.decides('d2', ['b', 'c'], 3, 'both')
    })

    test('the last was sent -> the edit came after that, too: a violation', () => {
      const history = deletedTwice('last')
      expect(() => history.decides('d2', ['b', 'c'], 0, 'both')).toThrow(Violation)
    })
  })

  describe('an edit stands on the delete of another one', () => {
    /** d1 wrote a and deleted it; d2 had written b where nothing was. */
    function deleted(): OracleHistory {
      const history = new OracleHistory()
      history.writes('d2', {}, { n: 'b' })
      history.writes('d1', {}, { n: 'a' })
      history.accepts('d1', 0, { n: 'a' })
      history.writes('d1', { n: 'a' }, {})
      history.accepts('d1', 1, { n: null })
      history.shows('d2', { n: 'b' }, { n: 2 })
      return history
    }

    test('a copy of the files of the other device offers that one again -> they compete', () => {
      const history = deleted()
      history.oracle.wasCopied('d1')
      history.accepts('d1', 2, { n: 'a' })
      history.decides('d2', ['b', 'a'], 3, 'both')
    })

    test('nobody offers it again -> asked about the two: a violation', () => {
      expect(() => deleted().decides('d2', ['b', 'a'], 1, 'both')).toThrow(Violation)
    })
  })

  test('asked about an edit and what it was made on -> a violation', () => {
    const history = new OracleHistory()
    history.writes('d1', {}, { n: 'a' })
    history.accepts('d1', 0, { n: 'a' })
    history.shows('d2', { n: 'a' }, { n: 1 })
    history.writes('d2', { n: 'a' }, { n: 'b' })
    expect(() => history.decides('d2', ['b', 'a'], 1, 'both')).toThrow(Violation)
  })
})
