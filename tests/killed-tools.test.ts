/**
 * The tools of the command line, killed with SIGKILL at random moments: the database they work on stays whole,
 * and what they make is there as a whole or is no database.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AnyEntity, defineCollection, EntiDB } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from './kit/seeded-random.ts'

const program = fileURLToPath(new URL('../packages/cli/dist/main.js', import.meta.url))
const kills = 6
const entities = 30_000

let home: string

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'entidb-killed-tools-'))
  const db = await open(join(home, 'db'))
  for (let from = 0; from < entities; from += 5_000) {
    await db.transaction(async (tx) => {
      for (let i = from; i < from + 5_000; i++) {
        await tx
          .collection('notes')
          .put({ id: `n${i}`, kind: i % 7, text: `note ${i} `.repeat(10) })
      }
    })
  }
  // Something for compact to do.
  await db.transaction(async (tx) => {
    for (let i = 0; i < entities; i++) if (i % 3 !== 0) await tx.collection('notes').delete(`n${i}`)
  })
  await db.close()
})

afterAll(() => rmSync(home, { recursive: true, force: true }))

function open(directory: string) {
  const collections = { notes: defineCollection<AnyEntity>({ indexes: { byKind: ['kind'] } }) }
  return EntiDB.open({ storage: fileStorage(directory), collections })
}

/** Runs `entidb`; killed after `killAfterMs`, unless it has ended by itself. Answers how long it took. */
async function run(words: readonly string[], killAfterMs?: number): Promise<number> {
  const child = spawn(process.execPath, [program, ...words], { stdio: 'ignore' })
  const began = performance.now()
  const timer =
    killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  await once(child, 'close')
  clearTimeout(timer)
  return performance.now() - began
}

async function expectWhole(directory: string): Promise<void> {
  const db = await open(directory)
  expect((await db.verify()).problems).toEqual([])
  expect(await db.collection('notes').count()).toBe(entities / 3)
  expect(await db.collection('notes').count({ where: { kind: 3 } })).toBe(1429)
  await db.close()
}

describe('killed tools', () => {
  test.each([
    ['backup', (target: string) => ['backup', join(home, 'db'), target]],
    ['backup to a file', (target: string) => ['backup', join(home, 'db'), `${target}.entidb`]],
    ['restore', (target: string) => ['restore', join(home, 'whole.entidb'), target]],
    ['compact', (target: string) => ['compact', target]],
    ['salvage', (target: string) => ['salvage', join(home, 'db'), target]],
  ] as const)(
    `%s: SIGKILL ${kills} times -> source whole, target whole or absent`,
    async (name, wordsFor) => {
      const source = join(home, 'db')
      const whole = join(home, 'whole.entidb')
      const random = seededRandom(name.length)
      if (!existsSync(whole)) await run(['backup', source, whole])
      const prepare = async (target: string) => {
        if (name === 'compact') await run(['restore', whole, target])
      }
      const unkilled = join(home, 'unkilled')
      await prepare(unkilled)
      const wholeMs = await run(wordsFor(unkilled))
      let absent = 0
      for (let kill = 0; kill < kills; kill++) {
        const target = join(home, `target-${kill}`)
        await prepare(target)
        await run(wordsFor(target), kill === 0 ? 50 : random() * wholeMs)
        await expectWhole(source)
        if (name === 'backup to a file') {
          if (existsSync(`${target}.entidb`)) await run(['restore', `${target}.entidb`, target])
          else absent++
        }
        if (existsSync(join(target, 'data.entidb'))) await expectWhole(target)
        else if (name !== 'backup to a file') absent++
        // What was left does not stand in the way of the next attempt.
        if (name === 'restore' && !existsSync(join(target, 'data.entidb'))) {
          await run(wordsFor(target))
          await expectWhole(target)
        }
        rmSync(target, { recursive: true, force: true })
      }
      rmSync(unkilled, { recursive: true, force: true })
      rmSync(`${unkilled}.entidb`, { force: true })
      if (name === 'compact') expect(absent).toBe(0)
      else expect(absent).toBeGreaterThan(0)
    },
  )
})
