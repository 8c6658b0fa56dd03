/** `docs/errors.md` has every code of the engine, and every code that it raises is provoked by a test. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const source = dirname(dirname(fileURLToPath(import.meta.url)))
const page = readFileSync(join(source, '../../../docs/errors.md'), 'utf8')
const list = readFileSync(join(source, 'errors/entidb-error.ts'), 'utf8')

const files = readdirSync(source, { recursive: true })
  .map(String)
  .filter(
    (name) => name.endsWith('.ts') && !/errors.(entidb-error|errors-page\.test)\.ts$/.test(name),
  )
const isTest = (name: string) => /\.(test|test-kit)\.ts$|conformance/.test(name)
const textOf = (names: readonly string[]) =>
  names.map((name) => readFileSync(join(source, name), 'utf8')).join('\n')
const product = textOf(files.filter((name) => !isTest(name)))
const tests = textOf(files.filter(isTest))

function engineCodes(): readonly string[] {
  const union = /EngineErrorCode =\n([^\n]*\|[^\n]*\n)+/.exec(list)?.[0] ?? ''
  return [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code ?? '')
}

test('errors page: every code that the engine raises -> documented, and provoked by a test', () => {
  const raised = engineCodes().filter((code) => product.includes(`'${code}'`))
  expect(raised.length).toBeGreaterThan(25)
  const undocumented = raised.filter((code) => !page.includes(`| \`${code}\` |`))
  const unprovoked = raised.filter((code) => !tests.includes(`'${code}'`))
  expect({ undocumented, unprovoked }).toEqual({ undocumented: [], unprovoked: [] })
})

test('errors page: every code in its table of the engine -> one that the engine has', () => {
  const engine = page.slice(page.indexOf('## Engine'), page.indexOf('## Sync client'))
  const documented = [...engine.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code ?? '')
  expect(documented.filter((code) => !engineCodes().includes(code))).toEqual([])
})
