/**
 * `entidb import` in a real process, killed with SIGKILL at random moments and started again until it is done:
 * every record is imported exactly once, and nothing of the import is left.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AnyEntity, defineCollection, EntiDB } from '@entidb/core'
import { encodeEntity } from '@entidb/core/cbor'
import { fileStorage } from '@entidb/core/node'
import { openStored, readToolState } from '@entidb/core/tools'
import { expect, onTestFinished, test } from 'vitest'
import { seededRandom } from './kit/seeded-random.ts'

const program = fileURLToPath(new URL('../packages/cli/dist/main.js', import.meta.url))
const records = 12_000
const kills = 6

const noteOf = (i: number): AnyEntity => ({
  id: `n${i}`,
  kind: i % 7,
  text: `note ${i} `.repeat(20),
})
const notes = Array.from({ length: records }, (_, i) => noteOf(i))

const files = {
  ndjson: () => notes.map((note) => `${JSON.stringify(note)}\n`).join(''),
  json: () => JSON.stringify(notes),
  csv: () =>
    `id,kind,text\n${notes.map(({ id, kind, text }) => `${id},${kind},${text}\n`).join('')}`,
  cbor: () => Buffer.concat(notes.map((note) => encodeEntity(note))),
}

function open(directory: string) {
  const collections = {
    notes: defineCollection<AnyEntity>({
      indexes: { byKind: ['kind'], byText: { on: ['text'], unique: true } },
    }),
  }
  return EntiDB.open({ storage: fileStorage(directory), collections, changeFeed: true })
}

/** Killed after `killAfterMs`, unless it has ended by itself. Answers its exit code; null when it was killed. */
async function run(words: readonly string[], killAfterMs?: number): Promise<number | null> {
  const child = spawn(process.execPath, [program, ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (text) => {
    errors += text
  })
  const timer =
    killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  if (code !== null) expect([code, errors]).toEqual([0, ''])
  return code
}

/** How many records the import says are there; undefined when none is under way. */
async function recordsDone(directory: string): Promise<number | undefined> {
  const db = await openStored({ storage: fileStorage(directory) })
  const state = await db.transaction((tx) => readToolState(tx, 'import:notes'))
  await db.close()
  return state === undefined ? undefined : (state as { readonly records: number }).records
}

/** The first `count` notes are there, each was written once, and the indexes agree. */
async function expectFirst(directory: string, count: number): Promise<void> {
  const db = await open(directory)
  expect(await db.collection('notes').count()).toBe(count)
  if (count > 0)
    expect(await db.collection('notes').get(`n${count - 1}`)).toEqual(noteOf(count - 1))
  let operations = 0
  for await (const { entityId } of db.changes({ wait: false })) {
    expect(entityId).toBe(`n${operations++}`)
  }
  expect(operations).toBe(count)
  expect((await db.verify()).problems).toEqual([])
  await db.close()
}

test.each(Object.entries(files))(
  `import of %s: SIGKILL up to ${kills} times -> every record exactly once`,
  async (format, content) => {
    const home = mkdtempSync(join(tmpdir(), 'entidb-killed-import-'))
    onTestFinished(() => rmSync(home, { recursive: true, force: true }))
    const file = join(home, `notes.${format}`)
    writeFileSync(file, content())
    const wordsFor = (directory: string) => {
      const words = ['import', directory, 'notes', file, '--on-conflict', 'fail', '--json']
      return [...words, '--batch', '300']
    }
    const unkilled = join(home, 'unkilled')
    await (await open(unkilled)).close()
    const began = performance.now()
    expect(await run(wordsFor(unkilled))).toBe(0)
    const wholeMs = performance.now() - began
    await expectFirst(unkilled, records)

    const random = seededRandom(format.length)
    const directory = join(home, 'db')
    await (await open(directory)).close()
    let [killed, partial, done] = [0, 0, 0]
    for (; killed < kills; killed++) {
      const code = await run(wordsFor(directory), wholeMs * (0.2 + random() * 0.5))
      if (code === 0) {
        done = records
        break
      }
      const state = await recordsDone(directory)
      // Nothing that was done is undone; a kill behind the last transaction finds it finished.
      const count = state ?? (done > 0 ? records : 0)
      expect(count).toBeGreaterThanOrEqual(done)
      await expectFirst(directory, count)
      if (state !== undefined) partial++
      done = count
      // Finished but for its last transaction, or altogether.
      if (state === undefined && done === records) break
    }
    expect(partial).toBeGreaterThan(0)
    if (done < records || (await recordsDone(directory)) !== undefined)
      expect(await run(wordsFor(directory))).toBe(0)
    await expectFirst(directory, records)
    expect(await recordsDone(directory)).toBeUndefined()
  },
)
