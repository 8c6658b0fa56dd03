import { describe, expect, test } from 'vitest'
import { ClosingStack } from './closing-stack.ts'

describe('closing stack', () => {
  test('close: several were added -> run once each, the last one first', async () => {
    const order: number[] = []
    const stack = new ClosingStack()
    for (const n of [1, 2, 3]) stack.add(() => void order.push(n))
    await stack.close()
    await stack.close()
    expect(order).toEqual([3, 2, 1])
  })

  test('close: one fails -> the others still run, and its error is thrown', async () => {
    const order: number[] = []
    const stack = new ClosingStack()
    stack.add(() => void order.push(1))
    stack.add(() => Promise.reject(new Error('stuck')))
    await expect(stack.close()).rejects.toThrow('stuck')
    expect(order).toEqual([1])
  })
})
