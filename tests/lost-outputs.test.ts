/** `entidb` in real processes whose output goes nowhere, or whose input never comes. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeHandshakeRequest } from '@entidb/protocol'
import { createSyncServer, staticTokens } from '@entidb/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const program = fileURLToPath(new URL('../packages/cli/dist/main.js', import.meta.url))

let home: string

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'entidb-outputs-'))
})

afterAll(() => rmSync(home, { recursive: true, force: true }))

function start(...words: string[]): ChildProcess {
  return spawn(process.execPath, [program, ...words])
}

describe('output that cannot be written', () => {
  test('serve: nobody reads its log any more -> it serves on, and stops cleanly', async () => {
    const data = join(home, 'server')
    const child = start(
      'serve',
      '--data',
      data,
      '--port',
      '0',
      '--behind-proxy',
      '--token',
      't',
      '--json',
    )
    // Before its first line.
    child.stderr?.destroy()
    let output = ''
    child.stdout?.on('data', (text) => {
      output += text
    })
    while (!output.includes('\n')) await once(child.stdout ?? child, 'data')
    const { url } = JSON.parse(output)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    child.kill('SIGTERM')
    const [code] = await once(child, 'close')
    expect(code).toBe(0)
    expect(output).toContain('"stopped"')
  })

  test.skipIf(!existsSync('/dev/full'))(
    'stdout on a full disk -> an error and its exit code',
    () => {
      const full = openSync('/dev/full', 'w')
      const { status, stderr } = spawnSync(process.execPath, [program, 'token'], {
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      })
      closeSync(full)
      expect([status, stderr]).toEqual([1, expect.stringContaining('ENOSPC')])
    },
  )
})

describe('restore of a server database', () => {
  test.skipIf(process.platform === 'win32')(
    'no room for the new epoch -> says that it is restored, and what to do',
    async () => {
      const server = await createSyncServer({
        dataDir: join(home, 'backed-up'),
        insecureLoopback: true,
        auth: staticTokens({ t: { subject: 'ada', databases: '*', access: 'write' } }),
        createDatabases: true,
      })
      await server.listen()
      await fetch(`${server.url}/v1/handshake`, {
        method: 'POST',
        headers: { authorization: 'Bearer t', 'content-type': 'application/cbor' },
        body: Buffer.from(encodeHandshakeRequest({ dbId: 'shop', deviceId: 'till' })),
      })
      await server.close()
      const [backup, target] = [join(home, 'shop.entidb'), join(home, 'restored')]
      const entidb = [process.execPath, program]
      spawnSync(process.execPath, [program, 'backup', join(home, 'backed-up', 'shop'), backup])
      // In blocks of at least 512 bytes: more than the backup has, less than a log.
      const script = 'ulimit -f 48; exec "$@"'
      const words = ['-c', script, 'sh', ...entidb, 'restore', backup, target]
      const { status, stderr } = spawnSync('sh', words, { encoding: 'utf8' })
      expect(status).toBe(1)
      expect(stderr).toContain(`entidb new-epoch ${target}`)
      const again = spawnSync(process.execPath, [program, 'new-epoch', target], {
        encoding: 'utf8',
      })
      expect([again.status, again.stderr]).toEqual([0, ''])
    },
  )
})

describe('the log of a server in a program', () => {
  test.skipIf(!existsSync('/dev/full'))('its disk is full -> the program goes on', () => {
    const full = openSync('/dev/full', 'w')
    const server = new URL('../packages/server/dist/index.js', import.meta.url).href
    const script = `
      import { jsonLogger } from '${server}'
      jsonLogger().error({}, 'lost')
      setTimeout(() => console.log('alive'), 100)`
    const { status, stdout } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { stdio: ['ignore', 'pipe', full], encoding: 'utf8' },
    )
    closeSync(full)
    expect([status, stdout]).toEqual([0, 'alive\n'])
  })
})

describe('input that does not come', () => {
  test.each([
    ['import', ['notes', '-', '--format', 'ndjson', '--create']],
    ['restore', []],
  ])('%s: SIGTERM while stdin is silent -> stops', async (command, words) => {
    const target = join(home, command)
    const child =
      command === 'restore' ? start(command, '-', target) : start(command, target, ...words)
    let errors = ''
    child.stderr?.on('data', (text) => {
      errors += text
    })
    // It listens to signals by then.
    await expect.poll(() => existsSync(target), { timeout: 30_000 }).toBe(true)
    child.kill('SIGTERM')
    const [code] = await once(child, 'close')
    expect([code, errors]).toEqual([1, expect.stringContaining('stopped by a signal')])
  })
})
