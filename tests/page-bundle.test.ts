/** The engine as a page has it: bundled, minified, and split into parts that are loaded when they are needed. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleForPages } from '../scripts/page-bundle.mjs'

let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'entidb-page-'))
  await bundleForPages({ outdir: folder, write: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** What the program prints. */
function run(program: string): string {
  writeFileSync(join(folder, 'program.mjs'), prelude + program)
  return execFileSync(process.execPath, ['program.mjs'], { cwd: folder, encoding: 'utf8' }).trim()
}

/** `hide` takes the files of a part away; the answer puts them back. `failure` tells how a call fails. */
const prelude = `
import { readdirSync, renameSync } from 'node:fs'
import { defineCollection, EntiDB, memoryStorage, planMigrations, restoreBackup, salvage, verifyStore } from './index.js'
const collections = { people: defineCollection({ indexes: { byCity: ['city'] } }) }
const open = (storage) => EntiDB.open({ storage, collections })
const failure = (promise) =>
  promise.then(() => 'none', ({ code, cause, retry }) => [code, cause.code, retry].join(' '))
function hide(part) {
  const names = readdirSync('.').filter((name) => name.startsWith(part + '-'))
  for (const name of names) renameSync(name, name + '.hidden')
  return () => names.forEach((name) => renameSync(name + '.hidden', name))
}
`
const LOAD_FAILED = 'load_failed ERR_MODULE_NOT_FOUND later'

describe('bundle for pages', () => {
  test('bundle: split and minified -> every part does what it is for', () => {
    const printed = run(`
      const storage = memoryStorage()
      const db = await open(storage)
      const people = db.collection('people')
      const live = people.live({ where: { city: 'Bern' } })
      await people.putMany([{ id: 'p1', city: 'Bern' }, { id: 'p2', city: 'Rome' }])
      await db.transaction((tx) => tx.collection('people').put({ id: 'p3', city: 'Bern' }))
      const { ok } = await db.verify()
      const backup = memoryStorage()
      await db.backup(backup)
      await db.compact()
      const { items } = await people.findPage({ orderBy: { city: 'desc' }, limit: 1 })
      console.log(live.getSnapshot().length, ok, items[0].id)
      await db.close()
      const plan = await planMigrations({ storage: backup, collections })
      const saved = memoryStorage()
      const report = await salvage(backup, saved)
      const again = await open(saved)
      console.log(plan.ok, report.ok, await again.collection('people').count())
    `)
    expect(printed).toBe('2 true p2\ntrue true 3')
  })

  test.each(['prepare-database', 'tree-store'])(
    'bundle: %s cannot be loaded -> open is load_failed, and works once it can',
    (part) => {
      const printed = run(`
      const storage = memoryStorage()
      const show = hide('${part}')
      console.log(await failure(open(storage)))
      show()
      const db = await open(storage)
      await db.collection('people').put({ id: 'p1', city: 'Bern' })
      console.log(await db.collection('people').count())
    `)
      expect(printed).toBe(`${LOAD_FAILED}\n1`)
    },
  )

  test('bundle: the maintenance cannot be loaded -> its calls are load_failed, all else goes on', () => {
    const printed = run(`
      const storage = memoryStorage()
      const db = await open(storage)
      const people = db.collection('people')
      const show = hide('maintenance')
      const calls = [
        () => db.verify(),
        () => db.backup(memoryStorage()),
        () => db.compact(),
        () => restoreBackup([], memoryStorage()),
        () => salvage(storage, memoryStorage()),
        () => planMigrations({ storage, collections }),
        () => storage.open({ durability: 'strict', readOnly: true }),
      ]
      for (const call of calls) console.log(await failure(call()))
      await people.put({ id: 'p1', city: 'Bern' })
      show()
      await db.compact()
      console.log((await db.verify()).ok, await people.count())
    `)
    expect(printed.split('\n')).toEqual([...Array(7).fill(LOAD_FAILED), 'true 1'])
  })
})
