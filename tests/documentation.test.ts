/** Every code block of the documentation is run: `tests/kit/pages/` says how, CONTRIBUTING.md what an author writes. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { brokenLinks } from './kit/pages/links.ts'
import { formatProblem, type Page } from './kit/pages/page.ts'
import { createPageModule } from './kit/pages/page-module.ts'
import { runPage } from './kit/pages/run-page.ts'
import { typeCheckPages } from './kit/pages/type-check-pages.ts'

const repository = new URL('../', import.meta.url)

/** Markdown of the root, of `docs`, and of each package. */
function pageNames(): readonly string[] {
  const markdown = (folder: string, recursive: boolean): readonly string[] =>
    readdirSync(fileURLToPath(new URL(folder, repository)), { recursive })
      .map((name) => `${folder}${String(name).replaceAll('\\', '/')}`)
      .filter((name) => name.endsWith('.md'))
  const packages = readdirSync(fileURLToPath(new URL('packages', repository)))
  return [
    ...markdown('./', false).map((name) => name.slice(2)),
    ...markdown('docs/', true),
    ...packages.flatMap((name) => markdown(`packages/${name}/`, false)),
  ].sort()
}

function readPage(name: string): Page {
  return { name, text: readFileSync(new URL(name, repository), 'utf8') }
}

const pages = pageNames().map(readPage)
/** What is generated holds declarations, which are no story. */
const told = pages.filter(({ name }) => !name.startsWith('docs/api/'))
const modules = told.map(createPageModule).filter((module) => !module.isEmpty)

describe('documentation', () => {
  test('pages: README and the guide -> have blocks to run', () => {
    const names = modules.map(({ page }) => page)
    expect(names).toEqual(
      expect.arrayContaining([
        'README.md',
        'docs/guide/getting-started.md',
        'docs/guide/modelling.md',
        'docs/guide/queries.md',
        'docs/guide/transactions.md',
        'docs/guide/change-feed.md',
        'docs/guide/errors.md',
      ]),
    )
  })

  test('guide: every page -> named by its index', () => {
    const index = pages.find(({ name }) => name === 'docs/guide/README.md')?.text ?? ''
    const names = pages.flatMap(({ name }) => /^docs\/guide\/(.+)$/.exec(name)?.[1] ?? [])
    expect(names.length).toBeGreaterThan(6)
    const missing = names.filter((name) => name !== 'README.md' && !index.includes(`(${name})`))
    expect(missing).toEqual([])
  })

  test('pages: every link -> leads to a file, and to a heading in it', () => {
    expect(brokenLinks(pages).map(formatProblem)).toEqual([])
  })

  test('pages: every block -> has the types it says', () => {
    expect(typeCheckPages(modules).map(formatProblem)).toEqual([])
  })

  test.each(modules.map((module) => [module.page, module] as const))(
    '%s: told in order -> does what it says',
    async (_, module) => {
      const problems = [...module.problems, ...(await runPage(module))]
      expect(problems.map(formatProblem)).toEqual([])
    },
  )
})
