import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SseParser } from './sse-parser.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('event stream parser', () => {
  test('event with id and retry: -> name and data', () => {
    expect(new SseParser().push(bytes('retry: 1000\nevent: cursor\nid: 7\ndata: 7\n\n'))).toEqual([
      { event: 'cursor', data: '7' },
    ])
  })

  test('comment, empty event: -> nothing', () => {
    expect(new SseParser().push(bytes(': heartbeat\n\nevent: cursor\n\n'))).toEqual([])
  })

  test('several data lines, no space, no name: -> joined, named message', () => {
    expect(new SseParser().push(bytes('data:a\ndata: b\n\n'))).toEqual([
      { event: 'message', data: 'a\nb' },
    ])
  })

  test.each(['\n', '\r', '\r\n'])(
    'event that ends with its chunk, line ending %j: -> told at once',
    (ending) => {
      const parser = new SseParser()
      const event = bytes(`\uFEFFevent: cursor${ending}data: 7${ending}${ending}`)
      expect(parser.push(event)).toEqual([{ event: 'cursor', data: '7' }])
      expect(parser.push(bytes(`data: 8${ending}${ending}`))).toHaveLength(1)
    },
  )

  test('line without end: -> refused', () => {
    expect(() => new SseParser().push(bytes('x'.repeat(10_000)))).toThrow(RangeError)
  })

  test('event without end: -> refused', () => {
    const parser = new SseParser()
    const push = (): void => {
      for (let i = 0; i < 10_000; i++) parser.push(bytes('data:\n'))
    }
    expect(push).toThrow(RangeError)
  })

  test('many events: -> each counts by itself', () => {
    const parser = new SseParser()
    for (let i = 0; i < 10; i++) {
      expect(parser.push(bytes(`data: ${'x'.repeat(5_000)}\n\n`))).toHaveLength(1)
    }
  })

  test('any cut into chunks, any line ending: -> the same events', () => {
    const text = 'event: cursor\ndata: 12\n\n: é\n\ndata: ü\n\n'
    fc.assert(
      fc.property(
        fc.constantFrom('\n', '\r', '\r\n'),
        fc.array(fc.nat({ max: 60 }), { maxLength: 8 }),
        (ending, cuts) => {
          const all = bytes(`${text.replaceAll('\n', ending)}x`)
          const parser = new SseParser()
          const places = [...cuts, 0, all.length].sort((a, b) => a - b)
          const events = places.flatMap((place, i) =>
            parser.push(all.subarray(i === 0 ? 0 : places[i - 1], place)),
          )
          expect(events).toEqual([
            { event: 'cursor', data: '12' },
            { event: 'message', data: 'ü' },
          ])
        },
      ),
    )
  })
})
