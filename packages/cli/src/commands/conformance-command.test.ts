/** `entidb conformance` in process, against real servers over TLS. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStorage } from '@entidb/core'
import {
  createSyncServer,
  type Policy,
  type SyncServer,
  silentLogger,
  staticTokens,
} from '@entidb/server'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { EXIT_FAILED, EXIT_OK, EXIT_PROBLEMS, EXIT_USAGE } from '../cli/exit-codes.ts'
import { runCli } from '../cli/run-cli.ts'
import { createTestEnvironment } from '../cli/test-environment.test-kit.ts'
import { ensureCertificate, type TlsIdentity } from '../secrets/certificate.ts'

let directory: string
let tls: TlsIdentity

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'entidb-conformance-'))
  tls = await ensureCertificate(directory, Date.now())
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function startServer(policy: Policy = {}): Promise<SyncServer> {
  const server = await createSyncServer({
    storage: () => memoryStorage(),
    tls,
    policy,
    auth: staticTokens({ secret: { subject: 'ada', databases: '*', access: 'write' } }),
    createDatabases: true,
    logger: silentLogger,
  })
  await server.listen()
  return server
}

const command = (url: string, ...more: string[]): string[] => [
  ...['conformance', '--url', url, '--token', 'secret', '--ca', tls.certFile],
  ...more,
]

const refusesEverything: Policy = {
  validate: () => ({ code: 'never', message: 'Nothing is stored here' }),
}

describe('entidb conformance', () => {
  test('a sound server -> a table in which all have passed, exit code 0, a word beforehand', async () => {
    await using server = await startServer()
    const environment = createTestEnvironment()
    expect(await runCli(command(server.url, '--only', 'revisions/'), environment)).toBe(EXIT_OK)
    expect(environment.errors()).toContain('writes to database conformance')
    expect(environment.output()).toMatch(/3 +│ revisions\/current +│ .* │ passed/)
    expect(environment.output()).toMatch(/13 passed, 0 failed, 0 skipped; \d+ entities written/)
  })

  test('a rule that does not hold -> exit code 3, with what was sent, expected and came, never the token', async () => {
    await using server = await startServer(refusesEverything)
    const environment = createTestEnvironment()
    const exit = await runCli(command(server.url, '--only', 'revisions/current'), environment)
    expect(exit).toBe(EXIT_PROBLEMS)
    expect(environment.output()).toMatch(/FAILED revisions\/current \(section 3\): a put or delete/)
    expect(environment.output()).toMatch(/sent {6}POST \/v1\/push .*"opType": "PUT"/)
    expect(environment.output()).toContain('expected  operation 1 in committed')
    expect(environment.output()).toContain('came      rejected')
    expect(environment.output()).not.toContain('secret')
  })

  test('--json -> one object with every result', async () => {
    await using server = await startServer(refusesEverything)
    const environment = createTestEnvironment({ ENTIDB_TOKEN: 'secret' })
    const args = [
      'conformance',
      '--url',
      server.url,
      '--ca',
      tls.certFile,
      '--json',
      '--db',
      'other',
    ]
    await runCli([...args, '--only', 'revisions/c'], environment)
    expect(environment.errors()).toBe('')
    expect(JSON.parse(environment.output())).toMatchObject({
      dbId: 'other',
      ok: false,
      failed: 4,
      results: [{ id: 'revisions/current', section: '3', result: 'failed' }, {}, {}, {}],
    })
  })

  test('stopped in the middle -> ends as stopped, and what it wrote is deleted all the same', async () => {
    await using server = await startServer()
    const environment = createTestEnvironment()
    const exit = runCli(command(server.url), environment)
    const liveEntities = async () => (await server.stats('conformance')).liveEntities
    await vi.waitFor(async () => expect(await liveEntities()).toBeGreaterThan(0), 10_000)
    environment.interrupt()
    expect(await exit).toBe(EXIT_FAILED)
    expect(environment.errors()).toContain('interrupted')
    expect(environment.output()).toBe('')
    expect(await liveEntities()).toBe(0)
  })

  test('a server that goes away -> the table all the same, the rest skipped; exit code 1', async () => {
    let asked = 0
    const server = await startServer({
      validate: () => {
        asked += 1
        if (asked === 5) void server.close()
        return undefined
      },
    })
    const environment = createTestEnvironment()
    expect(await runCli(command(server.url, '--only', 'revisions/'), environment)).toBe(EXIT_FAILED)
    expect(environment.output()).toMatch(/skipped: the server/)
    expect(environment.output()).toMatch(/passed, 1 failed, \d+ skipped/)
    expect(environment.errors()).toContain('ECONNREFUSED')
  })

  test('rules that need more than a token -> skipped, with what to give', async () => {
    await using server = await startServer()
    const environment = createTestEnvironment()
    expect(await runCli(command(server.url, '--only', 'access/'), environment)).toBe(EXIT_OK)
    expect(environment.output()).toContain('skipped: no --other-db was')
    expect(environment.output()).toContain('0 passed, 0 failed, 3 skipped')
  })

  test('a token that opens nothing, or no server -> fails, and says what came', async () => {
    const server = await startServer()
    const refused = createTestEnvironment()
    const args = command(server.url, '--token', 'wrong', '--only', 'revisions/')
    expect(await runCli(args, refused)).toBe(EXIT_FAILED)
    expect(refused.errors()).toContain('401')
    await server.close()
    const gone = createTestEnvironment()
    expect(await runCli(command(server.url), gone)).toBe(EXIT_FAILED)
    expect(gone.errors()).toMatch(/ECONNREFUSED.*\(server_unreachable\)/)
  })

  test.each([
    ['no url', ['conformance', '--token', 't'], '--url is missing'],
    ['plain HTTP', ['conformance', '--url', 'http://localhost', '--token', 't'], 'https://'],
    ['no token', ['conformance', '--url', 'https://localhost'], 'ENTIDB_TOKEN'],
    [
      'no such rule',
      ['conformance', '--url', 'https://localhost', '--token', 't', '--only', 'x/'],
      'revisions/',
    ],
    [
      'a bad db',
      ['conformance', '--url', 'https://localhost', '--token', 't', '--db', '../x'],
      '--db',
    ],
  ])('%s -> usage', async (_, args, message) => {
    const environment = createTestEnvironment()
    expect(await runCli(args, environment)).toBe(EXIT_USAGE)
    expect(environment.errors()).toContain(message)
  })
})
