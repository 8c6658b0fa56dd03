import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CommandArguments } from '../cli/command-arguments.ts'
import { UsageError } from '../cli/usage-error.ts'
import { ensureCertificate } from '../secrets/certificate.ts'
import { parseServeOptions, type ServeOptions } from './serve-options.ts'
import { serveOptionsDefinition } from './serve-options-definition.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'entidb-serve-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

function parse(words: string[], env: Record<string, string> = {}): Promise<ServeOptions> {
  const data = ['--data', join(directory, 'server')]
  return parseServeOptions(new CommandArguments(serveOptionsDefinition, [...data, ...words]), env)
}

describe('serve options', () => {
  test('transport: --self-signed -> a certificate kept beside the data', async () => {
    const first = await parse(['--self-signed', '--token', 't'])
    expect(first.transport).toMatchObject({ tls: { cert: expect.stringContaining('CERTIFICATE') } })
    expect(await parse(['--self-signed', '--token', 't'])).toEqual(first)
  })

  test('transport: --cert and --key -> what the files hold', async () => {
    const { cert, key } = await ensureCertificate(directory, Date.now())
    const files = ['--cert', join(directory, 'cert.pem'), '--key', join(directory, 'key.pem')]
    const { transport } = await parse([...files, '--token', 't'])
    expect(transport).toEqual({ tls: { cert, key } })
  })

  test('transport: files that are empty, cut off or no pair -> usage error that names them', async () => {
    const { cert, key } = await ensureCertificate(directory, Date.now())
    const { key: otherKey } = await ensureCertificate(join(directory, 'other'), Date.now())
    const [certFile, keyFile] = [join(directory, 'c'), join(directory, 'k')]
    for (const [certText, keyText] of [
      ['', key],
      [cert, ''],
      [cert.slice(0, 200), key],
      [cert, otherKey],
    ] as const) {
      writeFileSync(certFile, certText)
      writeFileSync(keyFile, keyText)
      const parsing = parse(['--cert', certFile, '--key', keyFile, '--token', 't'])
      await expect(parsing).rejects.toBeInstanceOf(UsageError)
      await expect(parsing).rejects.toThrow(certFile)
    }
  })

  test('transport: --insecure-loopback on another address -> usage error', async () => {
    const words = ['--insecure-loopback', '--token', 't', '--host']
    await expect(parse([...words, '0.0.0.0'])).rejects.toBeInstanceOf(UsageError)
    expect((await parse([...words, '::1'])).transport).toEqual({ insecureLoopback: true })
  })

  test.each([
    ['none', []],
    ['two', ['--self-signed', '--behind-proxy']],
    ['half of one', ['--cert', 'x']],
  ])('transport: %s -> usage error', async (_, words) => {
    await expect(parse([...words, '--token', 't'])).rejects.toBeInstanceOf(UsageError)
  })

  test('tokens: option, file or environment -> that one; the options win', async () => {
    const file = join(directory, 'token')
    writeFileSync(file, 'from-file\n')
    const tokensOf = async (words: string[]): Promise<string[]> =>
      Object.keys((await parse(['--behind-proxy', ...words], { ENTIDB_TOKEN: 'from-env' })).tokens)
    expect(await tokensOf([])).toEqual(['from-env'])
    expect(await tokensOf(['--token', 'from-option'])).toEqual(['from-option'])
    expect(await tokensOf(['--token-file', file])).toEqual(['from-file'])
  })

  test('devices: as they come, or each of the subject that uses it first', async () => {
    const words = ['--behind-proxy', '--token', 't']
    expect(await parse(words)).toMatchObject({ bindDevices: false })
    expect(await parse([...words, '--bind-devices'])).toMatchObject({ bindDevices: true })
  })

  test('retention and open databases: absent, given, or no number -> the defaults, those, a usage error', async () => {
    const words = ['--behind-proxy', '--token', 't']
    const day = 86_400_000
    expect(await parse(words)).toMatchObject({ retentionMs: 90 * day, maxOpenDatabases: 100 })
    expect(await parse([...words, '--retention-days', '7', '--max-open', '3'])).toMatchObject({
      retentionMs: 7 * day,
      maxOpenDatabases: 3,
    })
    for (const option of ['--retention-days', '--max-open']) {
      await expect(parse([...words, option, '0'])).rejects.toBeInstanceOf(UsageError)
    }
  })

  test('tokens: none, or both options -> usage error', async () => {
    await expect(parse(['--behind-proxy'])).rejects.toBeInstanceOf(UsageError)
    const both = ['--behind-proxy', '--token', 't', '--token-file', 'f']
    await expect(parse(both)).rejects.toBeInstanceOf(UsageError)
  })
})
