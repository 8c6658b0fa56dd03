/** What runs the documentation finds a page that is wrong, and says in which line. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { brokenLinks } from './kit/pages/links.ts'
import { formatProblem } from './kit/pages/page.ts'
import { createPageModule, type PageModule } from './kit/pages/page-module.ts'
import { runPage } from './kit/pages/run-page.ts'
import { typeCheckPages } from './kit/pages/type-check-pages.ts'

const FENCE = '```'

/** A page with its title in line 1, and an empty line before each part. */
function namedPage(name: string, ...parts: readonly string[]): PageModule {
  return createPageModule({ name, text: ['# Title', ...parts].join('\n\n') })
}

function pageOf(...parts: readonly string[]): PageModule {
  return namedPage('page.md', ...parts)
}

function block(language: string, ...lines: readonly string[]): string {
  return [FENCE + language, ...lines, FENCE].join('\n')
}

async function problemsOf(...parts: readonly string[]): Promise<readonly string[]> {
  const module = pageOf(...parts)
  return [...module.problems, ...(await runPage(module, { timeLimitMs: 60_000 }))].map(
    formatProblem,
  )
}

/** Lines 3 to 13; what comes next has its first row in line 16. */
const OPEN = block(
  'ts',
  "import { defineCollection, EntiDB, memoryStorage } from '@entidb/core'",
  '',
  'interface Person { id: string; name: string }',
  'const db = await EntiDB.open({',
  '  storage: memoryStorage(),',
  '  collections: { people: defineCollection<Person>() },',
  '})',
  "const people = db.collection('people')",
  "await people.put({ id: 'p1', name: 'Ada' })",
)

describe('links', () => {
  test('to a file or heading that is not there -> a problem with its line', () => {
    const text =
      '# A title: two words\n\n[x](#a-title-two-words) [y](b.md#c)\n[z](#nowhere) [b](b.md)'
    const there = { name: 'docs/a.md', text }
    const exists = (name: string): boolean => name === 'docs/a.md'
    const problems = [
      '3: no such file: b.md#c',
      '4: no such heading: #nowhere',
      '4: no such file: b.md',
    ]
    expect(brokenLinks([there], exists).map(formatProblem)).toEqual(
      problems.map((problem) => `docs/a.md:${problem}`),
    )
  })
})

describe('a page that is right', () => {
  test('values, errors, several lines -> no problem', async () => {
    const story = block(
      'ts',
      "await people.get('p1') // -> { id: 'p1', name: 'Ada' }",
      "await people.get('p1') // -> { id: '...', name: 'Ada' }",
      'const all = await people.find({',
      "  where: { name: 'Ada' },",
      '})',
      '// -> [',
      "//      { id: 'p1', name: 'Ada' },",
      '//    ]',
      'console.log(all.length) // -> 1',
      "for (const person of all) person.name // -> 'Ada'",
      "await people.insert({ id: 'p1', name: 'Bob' }) // -> throws entity_exists",
      'await db.transaction(async () => {',
      "  throw new RangeError('enough')",
      '}) // -> throws RangeError',
    )
    expect(await problemsOf(OPEN, story)).toEqual([])
  })

  test('names declared and imported again, hidden code -> no problem', async () => {
    const again = [OPEN, "<!-- hidden:\nconst name = 'Ada'\n-->", block('ts', "name // -> 'Ada'")]
    expect(await problemsOf(OPEN, ...again)).toEqual([])
  })

  test('the command line on what the code before it made -> no problem', async () => {
    const story = [
      block(
        'ts',
        "import { EntiDB } from '@entidb/core'",
        "import { fileStorage } from '@entidb/core/node'",
        "const db = await EntiDB.open({ storage: fileStorage('./data'), collections: {} })",
        'await db.close()',
      ),
      block(
        'sh',
        'entidb verify ./data --json  # -> "ok":true',
        'entidb backup \\',
        '  ./data ./copy',
      ),
      block('ts', "import { existsSync } from 'node:fs'", "existsSync('./copy') // -> true"),
    ]
    expect(await problemsOf(...story)).toEqual([])
  })

  test('a block that is not run, with its reason -> no problem', async () => {
    const fence = block('ts', "throw new Error('run')")
    expect(await problemsOf(`<!-- not run: there is no such server -->\n${fence}`)).toEqual([])
  })
})

describe('the guide', () => {
  const folder = new URL('../docs/guide/', import.meta.url)
  const names = readdirSync(folder).filter((name) => name !== 'README.md')

  test.each(names)(
    '%s: every expectation changed -> a problem in each of these lines',
    async (name) => {
      const text = readFileSync(new URL(name, folder), 'utf8')
        .replaceAll(/-> throws \w+/g, '-> throws nothing_of_the_kind')
        .replaceAll(/(\/\/|#) -> (?!throws).*/g, "$1 -> 'something else'")
      const lines = text.split('\n').flatMap((line, i) => (line.includes(' -> ') ? [i + 1] : []))
      const module = createPageModule({ name, text })
      const found = [...module.problems, ...(await runPage(module))].map(({ line }) => line)
      expect(lines.length).toBeGreaterThan(4)
      expect([...new Set(found)].sort((a, b) => a - b)).toEqual(lines)
    },
  )
})

describe('a page that is wrong', () => {
  test('several expectations -> a problem for each, with its line and what is so', async () => {
    const wrong = [
      ["(await people.get('p1'))?.name // -> 'Bob'", "the page says 'Bob', but it is 'Ada'"],
      ['const n = await people.count() // -> 2', 'the page says 2, but it is 1'],
      ['console.log(n) // -> 3', 'the page says 3, but it is 1'],
      ["await people.get('p1') // -> { id: '...' }", "but it is { id: 'p1', name: 'Ada' }"],
      ["await people.find() // -> [{ id: '...', name: 'Bob' }]", "name: 'Ada' }"],
      ["await people.get('p1') // -> throws invalid_id", 'throws invalid_id, but it does not'],
      ["await people.put({ id: '', name: 'A' }) // -> throws corrupt", 'invalid_id'],
      ['if (n === 0) people.name // -> 1', 'the code of this expectation was not reached'],
      ['await people.count() // -> one of them', 'this is no value: one of them'],
      ['', ''],
      ['// -> 1', 'no statement ends before this expectation'],
    ]
    const problems = await problemsOf(OPEN, block('ts', ...wrong.map(([code = '']) => code)))
    const expected = wrong.flatMap(([, message = ''], i) =>
      message === ''
        ? []
        : [expect.stringMatching(new RegExp(`^page.md:${16 + i}: .*${message}`, 's'))],
    )
    expect(problems).toHaveLength(expected.length)
    expect(problems).toEqual(expect.arrayContaining(expected))
  })

  test.each([
    ['an error', "await people.put({ id: '', name: 'A' })", '16: threw invalid_id'],
    ['a rejection nobody awaits', "void people.put({ id: '', name: 'A' })", '16: threw invalid_id'],
    ['a promise that never resolves', 'await new Promise(() => {})', '1: .*never happens'],
  ])('%s -> told', async (_, code, problem) => {
    const problems = await problemsOf(OPEN, block('ts', code))
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^page.md:${problem}`))])
  })

  test('a command that fails, or prints something else -> its line', async () => {
    const shell = block(
      'sh',
      'entidb token',
      'entidb token  # -> tokens: 1',
      'entidb verify ./nothing',
    )
    const problems = await problemsOf(shell)
    expect(problems).toEqual([
      expect.stringContaining('page.md:5: the page says it prints tokens: 1'),
      expect.stringMatching(/^page\.md:6: the command ends with 1: .*not_a_database/s),
    ])
  })

  test('a page that goes on for ever -> ended after its time limit', async () => {
    for (const endless of [block('ts', 'for (;;) {}'), block('sh', 'sleep 1000')]) {
      expect(await runPage(pageOf(endless), { timeLimitMs: 500 })).toEqual([
        { page: 'page.md', line: 1, message: 'the page was not at its end after 500 ms' },
      ])
    }
  })

  test('types and imports, also of what is not run -> the line of each', () => {
    const fence = block('ts', "fetsh('https://a.example')")
    const wrong = block(
      'ts',
      "import { EntiDB, nothing } from '@entidb/core'",
      "await people.put({ id: 'p2', name: 2 })",
      'await people.find({ where: { age: 1 } })',
      '// @ts-expect-error this compiles',
      "await people.get('p1')",
    )
    const problems = typeCheckPages([
      namedPage(
        'again.md',
        OPEN,
        OPEN,
        "<!-- hidden:\nconst a = 'a'\n-->",
        block('ts', 'a.length'),
      ),
      namedPage('not-run.md', `<!-- not run: there is no such server -->\n${fence}`),
      namedPage('wrong.md', OPEN, wrong),
    ])
    const places = problems.map(({ page, line }) => `${page}:${line}`)
    expect(places.sort()).toEqual(['not-run.md:5', ...[16, 17, 18, 19].map((n) => `wrong.md:${n}`)])
  })

  test.each([
    ['no reason', `<!-- not run -->\n${block('ts', '1')}`, 'page.md:4: not run, but no reason'],
    ['a reason for nothing', '<!-- not run: because -->\n\ntext', 'page.md:4: a reason not to run'],
    [
      'a reason for text',
      `<!-- not run: x -->\n${block('text', 'x')}`,
      'page.md:4: not run, but it is no',
    ],
    ['another name', block('typescript', '1'), 'page.md:3: a block of typescript would not be run'],
    ['no end', `${FENCE}ts\n1`, 'page.md:3: the code block has no end'],
  ])('marks: %s -> a problem', (_, part, problem) => {
    expect(pageOf(part).problems.map(formatProblem)).toEqual([expect.stringContaining(problem)])
  })
})
