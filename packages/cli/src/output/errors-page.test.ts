/** `docs/errors.md` has every code of the command line, and each is provoked by a test. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const source = dirname(dirname(fileURLToPath(import.meta.url)))
const page = readFileSync(join(source, '../../../docs/errors.md'), 'utf8')
const list = readFileSync(join(source, '../../core/src/errors/entidb-error.ts'), 'utf8')

test('errors page: every code of the command line -> documented, raised, and provoked by a test', () => {
  const [, union = ''] = /ToolErrorCode = (.*)\n/.exec(list) ?? []
  const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code ?? '')
  const section = page.slice(page.indexOf('## Command line'), page.indexOf('## On the wire'))
  const documented = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code)
  expect(documented).toEqual(codes)
  const files = readdirSync(source, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts'))
  const textOf = (names: readonly string[]) =>
    names.map((name) => readFileSync(join(source, name), 'utf8')).join('\n')
  const product = textOf(files.filter((name) => !name.includes('.test')))
  const tests = textOf(files.filter((name) => name.includes('.test')))
  expect(codes.filter((code) => !product.includes(`'${code}'`))).toEqual([])
  expect(codes.filter((code) => !tests.includes(code))).toEqual([])
})
