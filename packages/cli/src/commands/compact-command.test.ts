/** `entidb compact` on real directories. */
import { describe, expect, test } from 'vitest'
import { EXIT_FAILED, EXIT_OK } from '../cli/exit-codes.ts'
import { runCli } from '../cli/run-cli.ts'
import { createTestEnvironment } from '../cli/test-environment.test-kit.ts'
import {
  makeNotes,
  openNotes,
  readNotes,
  temporaryPaths,
} from '../maintenance/database-directory.test-kit.ts'

const path = temporaryPaths()

describe('entidb compact', () => {
  test('most was deleted -> smaller files, the same content; the change feed is left on', async () => {
    await makeNotes(path('db'), 3000)
    const db = await openNotes(path('db'))
    await db.transaction(async (tx) => {
      for (let i = 0; i < 3000; i++) if (i % 30 !== 0) await tx.collection('notes').delete(`n${i}`)
    })
    const { feed } = await db.stats()
    await db.close()
    const environment = createTestEnvironment()
    expect(await runCli(['compact', path('db'), '--json'], environment)).toBe(EXIT_OK)
    const { bytesBefore, bytesAfter } = JSON.parse(environment.output())
    expect(bytesAfter).toBeLessThan(bytesBefore)
    expect(await readNotes(path('db'))).toHaveLength(100)
    const again = await openNotes(path('db'))
    expect((await again.stats()).feed).toEqual(feed)
    expect((await again.verify()).ok).toBe(true)
    await again.close()
  })

  test('text -> both sizes', async () => {
    await makeNotes(path('db'), 10)
    const environment = createTestEnvironment()
    expect(await runCli(['compact', path('db')], environment)).toBe(EXIT_OK)
    expect(environment.output()).toMatch(/before .*\n.*after /)
  })

  test('in use -> database_locked', async () => {
    const db = await openNotes(path('db'))
    const environment = createTestEnvironment()
    expect(await runCli(['compact', path('db')], environment)).toBe(EXIT_FAILED)
    expect(environment.errors()).toContain('database_locked')
    await db.close()
  })
})
