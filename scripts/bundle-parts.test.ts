import { describe, expect, test } from 'vitest'
import { filesLoadedWith, measureParts } from './bundle-parts.mjs'

const statically = (path: string) => ({ path, kind: 'import-statement' })
const lazily = (path: string) => ({ path, kind: 'dynamic-import' })

/** The entry shares one file with what opening loads, and opening one with a tool. */
const outputs = {
  'index.js': { entryPoint: 'src/index.js', imports: [statically('a.js'), lazily('open.js')] },
  'open.js': { entryPoint: 'src/open.js', imports: [statically('b.js'), lazily('tool.js')] },
  'tool.js': { entryPoint: 'src/tool.js', imports: [statically('b.js'), statically('c.js')] },
  'a.js': { imports: [] },
  'b.js': { imports: [statically('a.js')] },
  'c.js': { imports: [] },
}
const sizes = new Map(Object.keys(outputs).map((name, i) => [name, 10 ** i]))
const sizeOf = (name: string) => sizes.get(name) ?? Number.NaN

describe('bundle', () => {
  test('files: imported statically, by way of others -> loaded; by import() -> not', () => {
    expect([...filesLoadedWith(['index.js'], outputs)]).toEqual(['index.js', 'a.js'])
    expect([...filesLoadedWith(['open.js'], outputs)]).toEqual(['open.js', 'b.js', 'a.js'])
  })

  test('parts: one after the other -> each has what it adds, and every file counts in the total', () => {
    const parts = { entry: 'src/index.js', opening: ['src/open.js'] }
    expect(measureParts({ outputs }, sizeOf, parts)).toEqual({
      entryBytes: 1_001,
      openBytes: 11_011,
      totalBytes: 111_111,
      first: [
        { source: 'src/index.js', files: 2, bytes: 1_001 },
        { source: 'src/open.js', files: 2, bytes: 10_010 },
      ],
      later: [{ source: 'src/tool.js', files: 2, bytes: 100_100 }],
    })
  })

  test('parts: one that no file begins with -> an error', () => {
    const parts = { entry: 'src/index.js', opening: ['src/other.js'] }
    expect(() => measureParts({ outputs }, sizeOf, parts)).toThrow('src/other.js')
  })
})
