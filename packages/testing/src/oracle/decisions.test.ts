import { describe, expect, test } from 'vitest'
import { OracleHistory } from './oracle-history.test-kit.ts'
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
      history.merges('d2', 'n', ['b', 'a'], merged)
      history.merges('d2', 'n', ['b', 'a'], merged)
    },
  )

  test('asked about an edit and what it was made on -> a violation', () => {
    const history = new OracleHistory()
    history.writes('d1', {}, { n: 'a' })
    history.accepts('d1', 0, { n: 'a' })
    history.shows('d2', { n: 'a' }, { n: 1 })
    history.writes('d2', { n: 'a' }, { n: 'b' })
    expect(() => history.merges('d2', 'n', ['b', 'a'], 'both')).toThrow(Violation)
  })
})
