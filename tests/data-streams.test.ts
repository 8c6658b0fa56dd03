/** `entidb import`, `export` and `query` in real processes and pipes: readers that go away, files without bounds. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { type AnyEntity, defineCollection, EntiDB } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const program = fileURLToPath(new URL('./kit/measured-cli.mjs', import.meta.url))
const MIB = 1024 * 1024
/** What an open database, its caches and Node itself take, and room; much less than the data of these tests. */
const RSS_BYTES_MAX = 300 * MIB
const entities = 2400
const entityBytes = MIB / 4

let home: string

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'entidb-data-'))
  const collections = { notes: defineCollection<AnyEntity>() }
  const db = await EntiDB.open({ storage: fileStorage(join(home, 'db')), collections })
  for (let from = 0; from < entities; from += 40) {
    const batch = Array.from({ length: 40 }, (_, i) => ({
      id: `n${from + i}`,
      text: `${i} `.padEnd(entityBytes, 'x'),
    }))
    await db.collection('notes').putMany(batch)
  }
  await db.close()
})

afterAll(() => rmSync(home, { recursive: true, force: true }))

function start(...words: string[]): ChildProcess {
  return spawn(process.execPath, ['--max-old-space-size=96', program, ...words])
}

/** Its exit code, what it printed on stderr, and the most memory it took. */
async function ended(child: ChildProcess) {
  let errors = ''
  child.stderr?.on('data', (text) => {
    errors += text
  })
  const [code] = await once(child, 'close')
  const [measured, maxRssBytes] = /\nmaxRssBytes (\d+)\n$/.exec(errors) ?? ['', Number.NaN]
  return { code, errors: errors.replace(measured, ''), maxRssBytes: Number(maxRssBytes) }
}

describe('readers that go away', () => {
  test.each([
    ['export', ['export', 'notes', '--json']],
    ['export as CSV', ['export', 'notes', '--format', 'csv', '--json']],
    ['query', ['query', 'notes', '--format', 'json']],
  ])('%s -> ends without a word and without an error', async (_, [command = '', ...words]) => {
    const child = start(command, join(home, 'db'), ...words)
    child.stdout?.once('data', () => child.stdout?.destroy())
    const { code, errors } = await ended(child)
    expect([code, errors]).toEqual([0, ''])
  })
})

describe(`more data than memory (600 MiB)`, () => {
  test.each(['ndjson', 'json', 'csv', 'cbor'])('export as %s -> bounded memory', async (format) => {
    const file = join(home, `notes.${format}`)
    const child = start('export', join(home, 'db'), 'notes', '--out', file, '--json')
    const { code, errors, maxRssBytes } = await ended(child)
    expect([code, errors]).toEqual([0, ''])
    expect(statSync(file).size).toBeGreaterThan(entities * entityBytes)
    expect(maxRssBytes).toBeLessThan(RSS_BYTES_MAX)
    rmSync(file)
  })

  test.each([
    ['ndjson', '', '\n', '{"id":"last"}'],
    ['json', '[', ',', '{"id":"last"}]'],
  ])('import of %s from a pipe -> bounded memory', async (format, head, separator, tail) => {
    const pieces = 450
    const record = `{"id":"a","text":"${'x'.repeat(MIB)}"}`
    const words = ['notes', '-', '--format', format, '--create', '--on-conflict', 'skip', '--json']
    const child = start('import', join(home, `import-${format}`), ...words)
    let output = ''
    child.stdout?.on('data', (piece) => {
      output += piece
    })
    const ending = ended(child)
    if (child.stdin === null) throw new Error('a child without pipes')
    const input = function* () {
      yield head
      for (let i = 0; i < pieces; i++) yield record + separator
      yield tail
    }
    await pipeline(Readable.from(input()), child.stdin)
    const { code, errors, maxRssBytes } = await ending
    expect([code, errors]).toEqual([0, ''])
    expect(JSON.parse(output)).toMatchObject({ inserted: 2, skipped: pieces - 1 })
    expect(maxRssBytes).toBeLessThan(RSS_BYTES_MAX)
  })
})
