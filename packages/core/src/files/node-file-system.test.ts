import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileSystemConformance } from './file-system-conformance.ts'
import { temporaryDirectory } from './node-directory.test-kit.ts'
import { createNodeFileSystem } from './node-file-system.ts'
import { type NodeSystemCalls, nodeSystemCalls } from './node-system-calls.ts'

fileSystemConformance(
  'node',
  async () => {
    const directory = join(temporaryDirectory(), 'not', 'yet', 'there')
    return { open: () => createNodeFileSystem(directory), dispose: async () => {} }
  },
  { describe, test },
)

describe('node file system', () => {
  test('list: things that are no files of a store -> not listed, not touched', async () => {
    const directory = temporaryDirectory()
    mkdirSync(join(directory, 'sub'))
    for (const name of ['data.db', 'my notes.txt', '.hidden'])
      writeFileSync(join(directory, name), '')
    const fileSystem = createNodeFileSystem(directory)
    await (await fileSystem.lock()).release()
    expect(await fileSystem.list()).toEqual(['data.db'])
    expect(readdirSync(directory).sort()).toEqual(['.hidden', 'data.db', 'my notes.txt', 'sub'])
  })

  test('lock: of a directory that exists -> no flush; the first flushDirectory makes its name durable', async () => {
    const directory = temporaryDirectory()
    const flushed: string[] = []
    const pathsByFd = new Map<number, string>()
    const systemCalls: NodeSystemCalls = {
      ...nodeSystemCalls,
      openSync: (path, flags) => {
        const fd = nodeSystemCalls.openSync(path, flags)
        pathsByFd.set(fd, path)
        return fd
      },
      fsync: (fd, done) => {
        flushed.push(pathsByFd.get(fd) ?? '')
        nodeSystemCalls.fsync(fd, done)
      },
    }
    const fileSystem = createNodeFileSystem(directory, { systemCalls })
    await (await fileSystem.lock()).release()
    expect(flushed).toEqual([])
    await fileSystem.flushDirectory()
    await fileSystem.flushDirectory()
    expect(flushed).toEqual([dirname(directory), directory, directory])
  })

  test('relative path -> resolved when created', async () => {
    const directory = temporaryDirectory()
    const fileSystem = createNodeFileSystem(relative(process.cwd(), directory))
    expect(fileSystem.description).toBe(directory)
  })

  test('open: name of a directory -> io_failed', async () => {
    const directory = temporaryDirectory()
    mkdirSync(join(directory, 'sub'))
    await expect(
      createNodeFileSystem(directory).open('sub', { create: true }),
    ).rejects.toMatchObject({
      code: 'io_failed',
      details: { file: 'sub', operation: 'open', systemCode: 'EISDIR' },
    })
  })

  test.each([
    ['EACCES', 'read_only'],
    ['EROFS', 'read_only'],
    ['EMFILE', 'io_failed'],
    ['ENOSPC', 'disk_full'],
  ])('open: %s -> %s', async (systemCode, code) => {
    const systemCalls = {
      ...nodeSystemCalls,
      openSync: () => {
        throw Object.assign(new Error(systemCode), { code: systemCode })
      },
    }
    const fileSystem = createNodeFileSystem(temporaryDirectory(), { systemCalls })
    await expect(fileSystem.open('a', { create: true })).rejects.toMatchObject({
      code,
      details: { file: 'a', systemCode },
    })
  })

  test('open: size cannot be read -> io_failed, descriptor given back', async () => {
    const closed: number[] = []
    const systemCalls = {
      ...nodeSystemCalls,
      openSync: () => 4711,
      fstatSync: () => {
        throw Object.assign(new Error('EIO'), { code: 'EIO' })
      },
      closeSync: (fd: number) => {
        closed.push(fd)
      },
    }
    const fileSystem = createNodeFileSystem(temporaryDirectory(), { systemCalls })
    await expect(fileSystem.open('a', { create: false })).rejects.toMatchObject({
      code: 'io_failed',
    })
    expect(closed).toEqual([4711])
  })

  test('directory removed while in use -> list and open fail with io_failed', async () => {
    const fileSystem = createNodeFileSystem(join(temporaryDirectory(), 'gone'))
    await expect(fileSystem.list()).rejects.toMatchObject({ code: 'io_failed' })
    await expect(fileSystem.open('a', { create: true })).rejects.toMatchObject({
      code: 'io_failed',
    })
    await expect(fileSystem.flushDirectory()).rejects.toMatchObject({ code: 'io_failed' })
  })
})
