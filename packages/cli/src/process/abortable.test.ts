import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { aborted, orStop, piecesUntil } from './abortable.ts'

describe('abortable', () => {
  test('orStop: the work ends first -> its result or its error', async () => {
    const { signal } = new AbortController()
    await expect(orStop(Promise.resolve(1), signal)).resolves.toBe(1)
    await expect(orStop(Promise.reject(new Error('no')), signal)).rejects.toThrow('no')
  })

  test('orStop: aborted first -> the reason at once, and the late failure is nobody’s', async () => {
    const controller = new AbortController()
    const reason = new Error('stopped')
    let fail: (error: Error) => void = () => {}
    const work = new Promise<never>((_, reject) => {
      fail = reject
    })
    const outcome = orStop(work, controller.signal)
    controller.abort(reason)
    await expect(outcome).rejects.toBe(reason)
    fail(new Error('late'))
  })

  test('piecesUntil: aborted while nothing comes -> the reason at once, and the stream is closed', async () => {
    const controller = new AbortController()
    const stream = new PassThrough()
    stream.write('one')
    const pieces = piecesUntil(stream, controller.signal)
    expect(String((await pieces.next()).value)).toBe('one')
    const waiting = pieces.next()
    controller.abort(new Error('stopped'))
    await expect(waiting).rejects.toThrow('stopped')
    expect(stream.destroyed).toBe(true)
  })

  test('aborted: before or after the call -> resolves', async () => {
    const controller = new AbortController()
    const waiting = aborted(controller.signal)
    controller.abort()
    await waiting
    await aborted(controller.signal)
  })
})
