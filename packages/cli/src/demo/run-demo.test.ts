/** The demo in process, small: everything is real but the number of cities. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCli } from '../cli/run-cli.ts'
import { createTestEnvironment } from '../cli/test-environment.test-kit.ts'
import { createMeteredFetch } from '../network/metered-fetch.ts'
import { occupyPort } from '../network/occupied-port.test-kit.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'entidb-demo-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const command = (...more: string[]): string[] => [
  'demo',
  ...['--data', directory, '--port', '0', '--cities', '1500', '--once'],
  ...more,
]

describe('demo', () => {
  test('first and second start: -> one conflict merged, all identical, loaded only once', async () => {
    const first = createTestEnvironment()
    expect(await runCli(command('--json'), first)).toBe(0)
    expect(first.event('proof')).toMatchObject({
      identical: true,
      digests: [{ entities: 1501 }, {}, {}],
    })
    expect(first.events('conflict')).toHaveLength(1)
    expect(first.step('load')).toMatchObject({ entities: 1500 })

    const second = createTestEnvironment()
    expect(await runCli(command('--json'), second)).toBe(0)
    expect(second.event('proof')).toMatchObject({
      identical: true,
      digests: [{ entities: 1501 }, {}, {}],
    })
    expect(second.events('conflict')).toHaveLength(1)
    expect(second.step('load')).toMatchObject({ entities: 0 })
  })

  test('merge: both devices changed a city -> the edits of both are in it', async () => {
    const environment = createTestEnvironment()
    await runCli(command('--json'), environment)
    const { fields } = environment.event('conflict')
    expect(fields).toContainEqual(
      expect.objectContaining({
        path: 'population',
        base: 20430,
        local: 20437,
        remote: 21430,
        merged: 21430,
      }),
    )
    expect(fields).toContainEqual(
      expect.objectContaining({ path: 'location', merged: { lat: 42.5078, lon: 1.52109 } }),
    )
  })

  test('interrupted: stopped at any moment and started again -> ends proven', async () => {
    for (const afterMs of [50, 150, 300, 600]) {
      const environment = createTestEnvironment()
      setTimeout(() => environment.interrupt(), afterMs)
      expect(await runCli(command(), environment)).toBe(0)
    }
    const last = createTestEnvironment()
    expect(await runCli(command('--json'), last)).toBe(0)
    expect(last.event('proof')).toMatchObject({ identical: true })
  })

  test('text: for people -> figures, digests and the merged conflict', async () => {
    const environment = createTestEnvironment()
    expect(await runCli(command(), environment)).toBe(0)
    for (const text of [
      'entities/s',
      'identical, byte for byte',
      'base',
      'merged',
      'https://127.0.0.1:',
    ]) {
      expect(environment.output()).toContain(text)
    }
  })

  test('port: busy -> another one, with a notice', async () => {
    const { port, release } = await occupyPort()
    const environment = createTestEnvironment()
    expect(await runCli(command('--json', '--port', String(port)), environment)).toBe(0)
    expect(environment.output()).toContain('--port')
    expect(environment.event('result')).not.toMatchObject({ url: `https://127.0.0.1:${port}` })
    await release()
  })

  test('served on: without --once -> reachable until stopped, then exit code 0', async () => {
    const environment = createTestEnvironment()
    const words = command('--json').filter((word) => word !== '--once')
    const exit = runCli(words, environment)
    while (environment.events('result').length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const { url, certFile } = environment.event('result')
    const wire = createMeteredFetch(readFileSync(String(certFile), 'utf8'))
    expect((await wire.fetch(`${url}/healthz`, { method: 'GET' })).status).toBe(200)
    await wire.close()
    environment.interrupt()
    expect(await exit).toBe(0)
  })
})
