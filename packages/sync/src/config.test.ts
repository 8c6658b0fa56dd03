import { describe, expect, test } from 'vitest'
import { settingsOf } from './config.ts'

const config = {
  serverUrl: 'https://sync.example.org',
  dbId: 'production-db',
  authTokenProvider: async () => 'token',
}

describe('configuration', () => {
  test.each([
    ['a misspelt option', { conflictResolvers: {} }, 'conflictResolvers'],
    ['a misspelt bound of the ledger', { ledger: { maxTransaction: 1 } }, 'maxTransaction'],
    ['a stream that is no boolean', { stream: 'no' }, 'stream'],
    ['a fetch that is no function', { fetch: 5 }, 'fetch'],
    ['a platform that is no text', { clientInfo: { platform: 5 } }, 'clientInfo.platform'],
    ['a version that has no UTF-8 form', { clientInfo: { appVersion: '\ud800' } }, 'appVersion'],
    ['a misspelt clientInfo', { clientInfo: { platfrom: 'web' } }, 'platfrom'],
    ['a clientInfo that is text', { clientInfo: 'web' }, 'clientInfo'],
  ])('%s -> a TypeError that names it', (_, wrong, name) => {
    const complete = (): unknown => settingsOf({ ...config, ...wrong } as never)
    expect(complete).toThrow(TypeError)
    expect(complete).toThrow(name)
  })

  test('clientInfo: complete, in part, absent -> as it was given', () => {
    const complete = { platform: 'web', appVersion: '1.0.0' }
    for (const clientInfo of [complete, { platform: 'web' }, {}]) {
      expect(settingsOf({ ...config, clientInfo }).clientInfo).toEqual(clientInfo)
    }
    expect(settingsOf(config).clientInfo).toBeUndefined()
  })
})
