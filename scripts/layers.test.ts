import { describe, expect, test } from 'vitest'
import { importsOf, layerProblems } from './layer-rules.mjs'

describe('layer check', () => {
  test('layers: core imports sync -> a problem that names both', () => {
    const problems = layerProblems(
      'packages/core/src/entities/x.ts',
      "import { EntiDBSync } from '@entidb/sync'",
    )
    expect(problems).toEqual([
      'packages/core/src/entities/x.ts: core must not import sync (@entidb/sync)',
    ])
  })

  test.each([
    ['packages/core/src/files/x.ts', "import { Tree } from '../store/tree.ts'"],
    ['packages/core/src/store/x.ts', "export { put } from '../entities/collection.ts'"],
    ['packages/core/src/store/x.ts', "const x = await import('../entities/collection.ts')"],
    ['packages/core/src/errors/x.ts', "const load = () => import(\n  '../store/tree.ts',\n)"],
    ['packages/core/src/files/x.ts', "type X = typeof import('../store/tree.ts')"],
    ['packages/core/src/store/x.ts', "void import(/* @vite-ignore */ '../entities/x.ts')"],
    ['packages/core/src/entities/x.ts', "void import('node:fs', { with: {} })"],
    ['packages/core/src/entities/x.ts', 'const load = (name: string) => import(name)'],
    ['packages/core/src/entities/x.ts', 'const load = () => import(`../store/tree.ts`)'],
    ['packages/cli/src/x.ts', 'const load = (name: string) => import(/* @vite-ignore */ name)'],
    ['packages/core/src/entities/x.ts', "import { readFileSync } from 'node:fs'"],
    ['packages/core/src/entities/x.ts', "import z from 'zod'"],
    ['packages/protocol/src/x.ts', "import type { EntiDBSync } from '@entidb/sync'"],
    ['packages/sync/src/x.ts', "import { createSyncServer } from '@entidb/server'"],
    ['packages/sync/src/x.ts', "import { x } from '../../core/src/index.ts'"],
    ['packages/core/src/store/x.ts', 'const now = Date.now()'],
    ['packages/sync/src/backoff.ts', 'const jitter = Math.random()'],
    ['packages/server/src/x.ts', "import { simulate } from '@entidb/testing'"],
    ['packages/testing/src/x.ts', 'const now = Date.now()'],
  ])('layers: %s with %s -> a problem', (file, text) => {
    expect(layerProblems(file, text)).toHaveLength(1)
  })

  test.each([
    ['packages/core/src/store/x.ts', "import type { File } from '../files/file-system.ts'"],
    ['packages/core/src/entities/x.ts', "const load = () => import('../store/tree-store.ts')"],
    ['packages/core/src/entities/x.ts', '/** Each `import()` is a part. */'],
    ['packages/cli/src/migrate/definitions-module.ts', 'const module = await import(path)'],
    ['packages/core/src/node.ts', "import { x } from 'node:fs'"],
    ['packages/sync/src/push/x.ts', "import { replication } from '@entidb/core/replication'"],
    ['packages/server/src/x.ts', "import { Hono } from 'hono'"],
    ['packages/sync/src/environment.ts', 'const now = Date.now()'],
  ])('layers: %s with %s -> allowed', (file, text) => {
    expect(layerProblems(file, text)).toEqual([])
  })

  test('imports: every form over several lines -> found', () => {
    const text =
      "import a from 'a'\nimport {\n  b,\n} from 'b'\nimport 'c'\nexport { d } from 'd'\nvoid import('e')"
    expect(importsOf(text)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })
})
