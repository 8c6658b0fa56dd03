import { memoryStorage } from '@entidb/core'
import { describe, expect, test } from 'vitest'
import { minimal } from './create-sync-server.test-kit.ts'
import { createSyncServer, type SyncServerOptions } from './create-sync-server.ts'

describe('options that are refused', () => {
  test.each<[string, Partial<SyncServerOptions>]>([
    ['no protection named', {}],
    ['two protections named', { behindProxy: true, insecureLoopback: true }],
    ['behindProxy false', { behindProxy: false }],
    ['dataDir and storage', { behindProxy: true, dataDir: './data' }],
    ['an entity that fits no body', { behindProxy: true, limits: { maxBodyBytes: 1_000_000 } }],
    ['a limit of 0', { behindProxy: true, limits: { maxPullOps: 0 } }],
    ['a depth the codec does not reach', { behindProxy: true, limits: { maxDepth: 65 } }],
  ])('%s -> TypeError', async (_, options) => {
    await expect(createSyncServer({ ...minimal(), ...options })).rejects.toThrow(TypeError)
  })

  test.each([
    ['a misspelt option', { createDatabase: true }, 'createDatabase'],
    ['a misspelt limit', { limits: { maxPullOp: 5 } }, 'maxPullOp'],
    ['no auth', { auth: undefined }, 'auth'],
    ['an auth that cannot authenticate', { auth: {} }, 'auth'],
    ['createDatabases that is text', { createDatabases: 'no' }, 'createDatabases'],
    ['bindDevices that is text', { bindDevices: 'no' }, 'bindDevices'],
    ['one origin, not in a list', { corsOrigins: 'https://a.example.org' }, 'corsOrigins'],
    ['a storage, not a function', { storage: memoryStorage() }, 'storage'],
    ['a dataDir that is a number', { storage: undefined, dataDir: 5 }, 'dataDir'],
    ['a drainMs that is text', { drainMs: 'x' }, 'drainMs'],
    ['tls without its files', { behindProxy: undefined, tls: {} }, 'tls'],
    ['a misspelt policy', { policy: { collection: { a: { read: false } } } }, 'collection'],
    ['a misspelt rule', { policy: { collections: { a: { reads: false } } } }, 'reads'],
    ['a rule that is text', { policy: { otherCollections: { read: 'no' } } }, 'read'],
    ['rules that are a function', { policy: { collections: { a: () => false } } }, 'a'],
    ['a validate that is no function', { policy: { validate: {} } }, 'validate'],
  ])('%s -> a TypeError that names it', async (_, wrong, name) => {
    const created = createSyncServer({ ...minimal(), behindProxy: true, ...wrong } as never)
    await expect(created).rejects.toThrow(TypeError)
    await expect(created).rejects.toThrow(name)
  })
})
