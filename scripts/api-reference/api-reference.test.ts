/** `docs/api` is what the docstrings say now, and everything that a package exports has one. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { apiProblems } from './problems.mjs'
import { readApi } from './read-api.mjs'
import { renderApi } from './render.mjs'

describe('API reference', () => {
  const repository = fileURLToPath(new URL('../..', import.meta.url))
  const api = readApi(repository)

  test('every export, member of a class and option -> has a docstring; every type it names is exported', () => {
    expect(apiProblems(api)).toEqual([])
  })

  test('docs/api -> as generated from this build; else run `npm run docs:api`', () => {
    const folder = join(repository, 'docs/api')
    const written = new Map(
      readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
    )
    const generated = renderApi(api)
    expect([...written.keys()].sort()).toEqual([...generated.keys()].sort())
    for (const [name, text] of generated) expect(written.get(name), name).toBe(text)
  })
})

describe('API reference of another package', () => {
  let repository: string

  beforeEach(() => {
    repository = mkdtempSync(join(tmpdir(), 'entidb-api-'))
  })

  afterEach(() => {
    rmSync(repository, { recursive: true, force: true })
  })

  /** A package `thing`, compiled: `index.ts` and the file it exports from. */
  function writePackage(index: string, thing: string): void {
    const exports = { '.': { types: './dist/index.d.ts' }, './package.json': './package.json' }
    const files = {
      'package.json': JSON.stringify({ name: 'thing', type: 'module', exports }),
      'src/index.ts': index,
      'src/thing.ts': thing,
      'dist/index.d.ts': index,
      // The compiler drops empty lines.
      'dist/thing.d.ts': thing.replaceAll('\n\n', '\n'),
    }
    for (const [name, text] of Object.entries(files)) {
      const path = join(repository, 'packages/thing', name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    }
  }

  test('docstrings that are missing, types that are not exported -> a problem each', () => {
    writePackage(
      "export { type Shape, Thing, type ThingOptions } from './thing.ts'",
      [
        '/** The header of this file. */',
        '',
        'export interface Shape { readonly of: Hidden }',
        'interface Hidden { readonly x: number }',
        '/** Options. */',
        'export interface ThingOptions { readonly size: number }',
        '/** A thing. */',
        'export declare class Thing {',
        '    #private;',
        '    private constructor();',
        '    /** @internal */',
        '    own(): Hidden;',
        '    grow(): void;',
        '}',
      ].join('\n'),
    )
    expect(apiProblems(readApi(repository))).toEqual([
      'thing has no comment that says what it is',
      'thing: Shape has no docstring',
      'thing: Shape names Hidden, which no entry point exports',
      'thing: Thing.grow has no docstring',
      'thing: ThingOptions.size has no docstring',
    ])
  })

  test('a class, a function with an example -> their declarations, docstrings and links', () => {
    writePackage(
      "/** `thing`: things. */\nexport { makeThing, Thing } from './thing.ts'",
      [
        '/** A thing. */',
        'export declare class Thing {',
        '    /** Makes it larger. */',
        '    grow(by: {',
        '        readonly factor: number;',
        '    }): void;',
        '}',
        '/**',
        ' * Makes a thing.',
        ' *',
        ' * @throws TypeError always.',
        ' * @example',
        ' * makeThing()',
        ' */',
        'export declare function makeThing(): Thing;',
      ].join('\n'),
    )
    const api = readApi(repository)
    expect(apiProblems(api)).toEqual([])
    expect(renderApi(api).get('thing.md')?.split('\n\n')).toEqual([
      '# thing',
      expect.stringContaining('do not edit'),
      '`thing`: things.',
      '- Functions: [makeThing](#makething)\n- Classes: [Thing](#thing-1)',
      '## Functions',
      '### makeThing',
      '```ts\nfunction makeThing(): Thing\n```',
      'Makes a thing.',
      'Throws TypeError always.',
      '```ts\nmakeThing()\n```',
      'See [Thing](#thing-1).',
      '## Classes',
      '### Thing',
      '```ts\nclass Thing\n```',
      'A thing.',
      '#### Thing.grow()',
      '```ts\ngrow(by: {\n  readonly factor: number\n}): void\n```',
      'Makes it larger.\n',
    ])
  })
})
