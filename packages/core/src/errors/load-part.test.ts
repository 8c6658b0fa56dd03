import { expect, test } from 'vitest'
import { loadPart, Part } from './load-part.ts'

test('loadPart: there -> the part', async () => {
  const { loadPart: again } = await loadPart(() => import('./load-part.ts'))
  expect(again).toBe(loadPart)
})

test('loadPart: cannot be loaded -> load_failed with the cause; the next call tries again', async () => {
  const cause = new TypeError('Failed to fetch dynamically imported module')
  const answers = [Promise.reject(cause), Promise.resolve('the part')]
  const load = async () => answers.shift()
  await expect(loadPart(load)).rejects.toMatchObject({
    code: 'load_failed',
    cause,
    retry: 'later',
  })
  expect(await loadPart(load)).toBe('the part')
})

test('part: provided -> that, and nothing is loaded', async () => {
  const part = new Part<string>(() => Promise.reject(new Error('loaded')))
  await expect(part.get()).rejects.toMatchObject({ code: 'load_failed' })
  part.provide('the part')
  expect(await part.get()).toBe('the part')
})
