import { describe, expect, test } from 'vitest'
import { type Address, listenNear, listenOn, PortBusyError } from './listen.ts'

/** Refuses the given port as the system does, the error wrapped `depth` times. */
function busyAt(busyPort: number, depth: number, asked: number[]) {
  return {
    listen: async ({ port }: Address) => {
      asked.push(port)
      if (port !== busyPort) return
      let error: Error = Object.assign(new Error('in use'), { code: 'EADDRINUSE' })
      for (let i = 0; i < depth; i++) error = new Error('cannot listen', { cause: error })
      throw error
    },
  }
}

describe('listen', () => {
  test.each([0, 1])(
    'busy port: strict, the cause %i deep -> an error that names --port',
    async (depth) => {
      const outcome = listenOn(busyAt(80, depth, []), { host: 'h', port: 80 })
      await expect(outcome).rejects.toBeInstanceOf(PortBusyError)
      await expect(outcome).rejects.toThrow('--port')
    },
  )

  test('busy port: lenient -> any free port', async () => {
    const asked: number[] = []
    expect(await listenNear(busyAt(80, 0, asked), { host: 'h', port: 80 })).toBe(true)
    expect(asked).toEqual([80, 0])
  })

  test('free port: lenient -> that one', async () => {
    const asked: number[] = []
    expect(await listenNear(busyAt(80, 0, asked), { host: 'h', port: 81 })).toBe(false)
    expect(asked).toEqual([81])
  })

  test('another failure: -> as it is', async () => {
    const refuse = { listen: () => Promise.reject(new Error('no such host')) }
    await expect(listenNear(refuse, { host: 'h', port: 80 })).rejects.toThrow('no such host')
  })
})
