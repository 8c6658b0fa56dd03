import { describe, expect, test } from 'vitest'
import type { Identity } from './identity.ts'
import { IdentityCache } from './identity-cache.ts'

const identity = (expiresAtMs: number): Identity => ({
  subject: 'ada',
  databases: '*',
  access: 'read',
  expiresAtMs,
})

describe('IdentityCache', () => {
  test('until the token expires -> remembered', () => {
    const cache = new IdentityCache(2)
    cache.set('a', identity(1000), 0)
    expect(cache.get('a', 999)).toEqual(identity(1000))
    expect(cache.get('a', 1000)).toBeUndefined()
    expect(cache.get('a', 0)).toBeUndefined()
  })

  test('a long-lived token -> verified again after five minutes', () => {
    const cache = new IdentityCache(2)
    cache.set('a', identity(1e12), 0)
    expect(cache.get('a', 299_999)).toBeDefined()
    expect(cache.get('a', 300_000)).toBeUndefined()
  })

  test('full -> the least recently used is forgotten', () => {
    const cache = new IdentityCache(2)
    cache.set('a', identity(1000), 0)
    cache.set('b', identity(1000), 0)
    cache.get('a', 0)
    cache.set('c', identity(1000), 0)
    expect(['a', 'b', 'c'].map((key) => cache.get(key, 0) !== undefined)).toEqual([
      true,
      false,
      true,
    ])
  })
})
