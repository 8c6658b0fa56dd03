import { describe, expect, test } from 'vitest'
import type { Timers } from '../timers.ts'
import { EventStream } from './event-stream.ts'

interface Clock extends Timers {
  advance(ms: number): void
  readonly pending: number
}

/** Timers that run when the test says so. */
function createClock(): Clock {
  let nowMs = 0
  const timers = new Set<{ at: number; callback: () => void }>()
  return {
    get pending() {
      return timers.size
    },
    set(callback, delayMs) {
      const timer = { at: nowMs + delayMs, callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    advance(ms) {
      nowMs += ms
      for (const timer of [...timers].filter(({ at }) => at <= nowMs)) {
        timers.delete(timer)
        timer.callback()
      }
    },
  }
}

function openStream(lifetimeMs?: number) {
  const clock = createClock()
  const listeners = new Set<{ onHead(head: number): void; onEnd(): void }>()
  let ends = 0
  const stream = new EventStream({
    head: 5,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    lifetimeMs,
    timers: clock,
    onEnd: () => ends++,
  })
  const reader = stream.body.getReader()
  const read = async (): Promise<string | undefined> => {
    const { value } = await reader.read()
    return value === undefined ? undefined : Buffer.from(value).toString()
  }
  const publish = (head: number): void => {
    for (const listener of listeners) listener.onHead(head)
  }
  return { stream, reader, read, publish, clock, listeners, ends: () => ends }
}

const event = (head: number): string => `event: cursor\nid: ${head}\ndata: ${head}\n\n`

describe('event stream', () => {
  test('on connect -> retry and the head', async () => {
    const { read } = openStream()
    expect(await read()).toBe(`retry: 1000\n\n${event(5)}`)
  })

  test('a reader that reads -> each head; one that does not -> only the newest', async () => {
    const { read, publish } = openStream()
    await read()
    publish(6)
    expect(await read()).toBe(event(6))
    for (const head of [7, 8, 9]) publish(head)
    expect(await read()).toBe(event(7))
    expect(await read()).toBe(event(9))
  })

  test('a head that is not newer -> nothing', async () => {
    const { read, publish } = openStream()
    await read()
    publish(5)
    publish(4)
    publish(6)
    expect(await read()).toBe(event(6))
  })

  test('15 s without a byte -> a comment; any event puts it off', async () => {
    const { read, publish, clock } = openStream()
    await read()
    clock.advance(14_000)
    publish(6)
    expect(await read()).toBe(event(6))
    clock.advance(14_000)
    clock.advance(1_000)
    expect(await read()).toBe(': alive\n\n')
  })

  test('a reader that takes nothing -> heartbeats do not pile up', async () => {
    const { reader, clock } = openStream()
    for (let i = 0; i < 10; i++) clock.advance(15_000)
    await reader.read()
    clock.advance(15_000)
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe(': alive\n\n')
  })

  test('the token expires -> the stream ends, also far beyond the longest timer', async () => {
    const longest = 2 ** 31 - 1
    const { read, reader, clock, listeners, ends } = openStream(longest + 1000)
    await read()
    clock.advance(longest)
    expect(ends()).toBe(0)
    clock.advance(1000)
    while (!(await reader.read()).done) {
      // Heartbeats that were sent before the end.
    }
    expect([listeners.size, clock.pending, ends()]).toEqual([0, 0, 1])
  })

  test('the database is closed -> the stream ends', async () => {
    const { read, listeners, clock } = openStream()
    await read()
    for (const listener of [...listeners]) listener.onEnd()
    expect(await read()).toBeUndefined()
    expect([listeners.size, clock.pending]).toEqual([0, 0])
  })

  test('cancelled by the client, then ended by the server -> released once', async () => {
    const { reader, stream, listeners, clock, ends } = openStream()
    await reader.cancel()
    stream.end()
    expect([listeners.size, clock.pending, ends()]).toEqual([0, 0, 1])
  })
})
