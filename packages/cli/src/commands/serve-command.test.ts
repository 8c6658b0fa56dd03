/** `entidb serve` in process: real sockets, real files. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EXIT_FAILED, EXIT_OK } from '../cli/exit-codes.ts'
import { runCli } from '../cli/run-cli.ts'
import { createTestEnvironment, type TestEnvironment } from '../cli/test-environment.test-kit.ts'
import { createMeteredFetch } from '../network/metered-fetch.ts'
import { occupyPort } from '../network/occupied-port.test-kit.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'entidb-serve-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const command = (...more: string[]): string[] => [
  'serve',
  ...['--data', join(directory, 'server'), '--token', 'secret', '--json'],
  ...more,
]

/** Resolves to the server's address as soon as it is printed. */
async function listening(environment: TestEnvironment): Promise<string> {
  for (;;) {
    const [event] = environment.events('listening')
    if (event !== undefined) return String(event.url)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('entidb serve', () => {
  test('self-signed: a client that trusts the certificate -> is answered; stopped -> exit code 0', async () => {
    const environment = createTestEnvironment()
    const exit = runCli(command('--self-signed', '--port', '0'), environment)
    const url = await listening(environment)
    const wire = createMeteredFetch(readFileSync(join(directory, 'tls', 'cert.pem'), 'utf8'))
    const response = await wire.fetch(`${url}/healthz`, { method: 'GET' })
    expect([response.status, await response.text()]).toEqual([200, 'ok\n'])
    environment.interrupt()
    expect(await exit).toBe(EXIT_OK)
    expect(environment.events('stopped')).toHaveLength(1)
    await wire.close()
  })

  test('token: the one given -> passes authentication; none -> 401', async () => {
    const environment = createTestEnvironment()
    const exit = runCli(command('--insecure-loopback', '--port', '0'), environment)
    const url = `${await listening(environment)}/v1/handshake`
    const headers = { authorization: 'Bearer secret' }
    expect((await fetch(url, { method: 'POST' })).status).toBe(401)
    expect((await fetch(url, { method: 'POST', headers })).status).toBe(415)
    environment.interrupt()
    expect(await exit).toBe(EXIT_OK)
  })

  test('port: busy -> fails with an error that names --port', async () => {
    const { port, release } = await occupyPort()
    const environment = createTestEnvironment()
    expect(await runCli(command('--insecure-loopback', '--port', String(port)), environment)).toBe(
      EXIT_FAILED,
    )
    expect(environment.errors()).toContain('--port')
    expect(environment.errors()).toContain('"code":"EADDRINUSE"')
    await release()
  })
})
