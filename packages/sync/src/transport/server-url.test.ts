import { describe, expect, test } from 'vitest'
import { parseServerUrl } from './server-url.ts'

describe('server url', () => {
  test('https: -> origin and path, no trailing slash', () => {
    expect(parseServerUrl(new URL('https://sync.example.org/'), false)).toBe(
      'https://sync.example.org',
    )
    expect(parseServerUrl('https://example.org/sync/?x#y', false)).toBe('https://example.org/sync')
  })

  test('http to this machine, asked for: -> accepted', () => {
    for (const host of ['127.0.0.1:80', 'localhost:8080', '[::1]:8080']) {
      expect(parseServerUrl(`http://${host}`, true)).toMatch(/^http:/)
    }
  })

  test.each([
    ['http://localhost:80', false],
    ['http://sync.example.org', true],
    ['http://127.0.0.1.example.org', true],
    ['ws://localhost', true],
  ])('%s: -> insecure_url', (url, allowed) => {
    expect(() => parseServerUrl(url, allowed)).toThrowError(
      expect.objectContaining({ code: 'insecure_url' }),
    )
  })

  test('credentials in the url: -> TypeError', () => {
    expect(() => parseServerUrl('https://me:secret@example.org', false)).toThrow(TypeError)
  })
})
