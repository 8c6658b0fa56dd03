/** A store in a real process, killed with SIGKILL at random moments. `npm run soak` kills more often. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readStore } from '../packages/core/src/store/format-reader/read-store.test-kit.ts'
import { type History, killStore } from './kit/kill-store.mjs'
import { seededRandom } from './kit/seeded-random.ts'

const kills = 10

/** Reads the files as the process left them, by the format alone. */
async function readByFormat(directory: string, history: History): Promise<void> {
  const names = readdirSync(directory).filter((name) => name.endsWith('.entidb'))
  if (!names.includes('data.entidb')) return
  const files = new Map(
    names.map((name) => [name, new Uint8Array(readFileSync(join(directory, name)))]),
  )
  const { tables, lastLsn } = readStore(files)
  const expected = history.stateAt(lastLsn)
  expect([...tables.keys()]).toEqual([...expected.keys()].sort())
  for (const [table, entries] of tables) {
    expect(entries.size, table).toBe(expected.get(table)?.size)
    for (const [key, value] of entries) {
      const found = expected.get(table)?.get(Buffer.from(key, 'hex').toString())
      expect(Buffer.from(value, 'hex').toString('base64') === found, `${table}: ${key}`).toBe(true)
    }
  }
}

test(`store: SIGKILL ${kills} times while it opens, commits, checkpoints and closes -> every commit that was acknowledged is there, once and whole`, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'entidb-killed-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const random = seededRandom(3)
  const counts = await killStore({ directory, kills, random, inspect: readByFormat })
  expect(counts.kills).toBe(kills)
  expect(counts.commits).toBeGreaterThan(kills)
  expect(counts.replays).toBeGreaterThan(0)
})
