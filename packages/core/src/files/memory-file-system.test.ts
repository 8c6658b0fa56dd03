import { describe, expect, test } from 'vitest'
import { fileSystemConformance } from './file-system-conformance.ts'
import { createMemoryFileSystem } from './memory-file-system.ts'

fileSystemConformance(
  'memory',
  async () => {
    const fileSystem = createMemoryFileSystem()
    return { open: () => fileSystem, dispose: async () => {} }
  },
  { describe, test },
)

describe('memory file system', () => {
  test('two instances of one name -> are two directories', async () => {
    const [one, two] = [createMemoryFileSystem('x'), createMemoryFileSystem('x')]
    await one.lock()
    await two.lock()
    await one.open('a', { create: true })
    expect(await two.list()).toEqual([])
    expect(one.description).toBe('x')
  })

  test('open handle: file renamed over or removed -> keeps reading the old content', async () => {
    const fs = createMemoryFileSystem()
    const old = await fs.open('a', { create: true })
    await old?.writeAt(0, Uint8Array.of(1))
    await fs.open('b', { create: true })
    await fs.rename('b', 'a')
    expect(old?.size()).toBe(1)
    expect((await fs.open('a', { create: false }))?.size()).toBe(0)
  })

  test('write: more than the process can hold -> disk_full, file unchanged', async () => {
    const file = await createMemoryFileSystem().open('a', { create: true })
    expect(() => file?.truncate(2 ** 52)).toThrow(expect.objectContaining({ code: 'disk_full' }))
    expect(file?.size()).toBe(0)
  })
})
