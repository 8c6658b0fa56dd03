/** The packages as they are published: packed, installed into an empty project, used from there. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

let project: string

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'entidb-tarballs-'))
})

afterEach(() => {
  rmSync(project, { recursive: true, force: true })
})

const npm = (args: readonly string[], cwd: string): string =>
  execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

describe('published packages', () => {
  test('tarballs: installed into an empty project -> every entry imports, types resolve, the bin runs', () => {
    npm(['pack', '--workspaces', '--pack-destination', project, '--silent'], '.')
    const tarballs = readdirSync(project).map((name) => `./${name}`)
    expect(tarballs).toHaveLength(6)
    for (const tarball of tarballs) {
      const files = execFileSync('tar', ['-tzf', tarball], { cwd: project, encoding: 'utf8' })
      expect(files).toContain('package/LICENSE\n')
      expect(files).not.toMatch(/\.test[.-]|\.tsbuildinfo/)
    }
    writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }')
    npm(['install', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs], project)
    writeFileSync(join(project, 'use.mjs'), program)
    const printed = execFileSync(process.execPath, ['use.mjs'], { cwd: project, encoding: 'utf8' })
    expect(printed.trim()).toBe('Ada 1 function function function object')
    writeFileSync(join(project, 'use.ts'), typedProgram)
    const tsc = join(process.cwd(), 'node_modules', '.bin', 'tsc')
    const flags = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--lib',
      'es2023,dom,esnext.disposable',
      '--types',
      '',
    ]
    execFileSync(tsc, [...flags, 'use.ts'], { cwd: project, stdio: 'inherit' })
    const help = execFileSync(join(project, 'node_modules', '.bin', 'entidb'), ['--help'], {
      encoding: 'utf8',
    })
    expect(help).toContain('serve')
  })
})

const program = `
import { EntiDB, defineCollection, memoryStorage } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { encodeHandshakeRequest } from '@entidb/protocol'
import { EntiDBSync } from '@entidb/sync'
import { createSyncServer } from '@entidb/server'
const db = await EntiDB.open({ storage: fileStorage('./data'), collections: { people: defineCollection({}) } })
await db.collection('people').put({ id: 'p1', name: 'Ada' })
const person = await db.collection('people').get('p1')
const all = await db.collection('people').count({})
await db.close()
console.log(person.name, all, typeof EntiDBSync, typeof createSyncServer, typeof encodeHandshakeRequest, typeof memoryStorage())
`

const typedProgram = `
import { EntiDB, defineCollection, memoryStorage } from '@entidb/core'
interface Person { id: string; name: string }
const db = await EntiDB.open({ storage: memoryStorage(), collections: { people: defineCollection<Person>({}) } })
const person = await db.collection('people').get('p1')
const name: string | undefined = person?.name
// @ts-expect-error there is no such field
void person?.age
void name
`
