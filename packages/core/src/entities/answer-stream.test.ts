import { describe, expect, test } from 'vitest'
import { AnswerStream } from './answer-stream.ts'

function streamOf(batches: readonly (readonly number[] | Error)[]) {
  const calls: string[] = []
  const left = [...batches]
  const stream = new AnswerStream<number>(() => {
    calls.push('open')
    return {
      next: async () => {
        calls.push('next')
        const batch = left.shift() ?? []
        if (batch instanceof Error) throw batch
        return batch
      },
      release: () => calls.push('release'),
    }
  })
  return { stream, calls }
}

describe('answer stream', () => {
  test('not begun -> nothing is opened', async () => {
    const { stream, calls } = streamOf([[1]])
    expect(await stream.return()).toEqual({ done: true, value: undefined })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    expect(calls).toEqual([])
  })

  test('to the end -> all answers in order, released once, and ended for good', async () => {
    const { stream, calls } = streamOf([[1, 2], [3], []])
    const seen: number[] = []
    for await (const answer of stream) seen.push(answer)
    expect(seen).toEqual([1, 2, 3])
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    expect(calls).toEqual(['open', 'next', 'next', 'next', 'release'])
  })

  test('left early -> released, the rest is not fetched', async () => {
    const { stream, calls } = streamOf([[1, 2], [3]])
    for await (const answer of stream) if (answer === 1) break
    expect(calls).toEqual(['open', 'next', 'release'])
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  test('many steps asked for at once -> answered in order', async () => {
    const { stream, calls } = streamOf([[1, 2], [3], [4]])
    const steps = await Promise.all(Array.from({ length: 6 }, () => stream.next()))
    expect(steps.map(({ value }) => value)).toEqual([1, 2, 3, 4, undefined, undefined])
    expect(calls.filter((call) => call === 'release')).toHaveLength(1)
  })

  test('fetching fails -> rejects, released, then ended', async () => {
    const { stream, calls } = streamOf([[1], new Error('disk')])
    expect(await stream.next()).toEqual({ done: false, value: 1 })
    await expect(stream.next()).rejects.toThrow('disk')
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    expect(calls).toEqual(['open', 'next', 'next', 'release'])
  })
})
