import { expect, test } from 'vitest'
import { SyncEmitter } from './events.ts'

test('on: a misspelt event, or no function -> TypeError: it would never be told', () => {
  const emitter = new SyncEmitter()
  expect(() => emitter.on('conflicts' as never, () => {})).toThrow('There is no event conflicts')
  expect(() => emitter.on('conflict', undefined as never)).toThrow(TypeError)
  emitter.on('conflict', () => {})()
})
