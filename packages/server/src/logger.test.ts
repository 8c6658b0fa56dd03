import { EntiDBError } from '@entidb/core'
import { describe, expect, test } from 'vitest'
import { jsonLogger, type LogLevel } from './logger.ts'

function logged(level: LogLevel, fields: Record<string, unknown>, text = 'text'): string[] {
  const lines: string[] = []
  const logger = jsonLogger({ level: 'info', write: (line) => lines.push(line), clock: () => 0 })
  logger[level](fields, text)
  return lines
}

describe('jsonLogger', () => {
  test('an entry -> one line of JSON with time, level and message', () => {
    const [line] = logged('warn', { path: '/v1/push' })
    expect(line).toBe(
      '{"time":"1970-01-01T00:00:00.000Z","level":"warn","message":"text","path":"/v1/push"}\n',
    )
  })

  test('below the level -> nothing', () => {
    expect(logged('debug', {})).toEqual([])
  })

  test('line breaks, escapes and long text -> one line, escaped, cut', () => {
    const [line = ''] = logged('info', { a: 'x\ny\u001b[31m', b: 'z'.repeat(10_000) })
    expect(line.trimEnd()).toMatch(/^[ -~]+$/)
    expect(line.length).toBeLessThan(800)
  })

  test('an error -> name, code, message, a few lines of stack and its cause', () => {
    const cause = new Error('inner')
    const error = new EntiDBError('disk_full', 'No room', { cause })
    const [line = ''] = logged('error', { error })
    expect(JSON.parse(line).error).toMatchObject({
      name: 'EntiDBError',
      code: 'disk_full',
      message: 'No room',
      cause: { message: 'inner' },
    })
  })
})
