import * as fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from './node-directory.test-kit.ts'
import { createDirectory, flushDirectory, flushExistingDirectory } from './node-directory.ts'
import { type NodeSystemCalls, nodeSystemCalls } from './node-system-calls.ts'

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code })
}

/** Notes what is created and flushed, by path below `root`. */
function recordingCalls(root: string, log: string[]): NodeSystemCalls {
  const pathsByFd = new Map<number, string>()
  const short = (path: string) => path.slice(root.length) || '/'
  return {
    ...nodeSystemCalls,
    mkdirSync: (path) => {
      fs.mkdirSync(path)
      log.push(`create ${short(path)}`)
    },
    openSync: (path, flags) => {
      const fd = fs.openSync(path, flags)
      pathsByFd.set(fd, short(path))
      return fd
    },
    fsync: (fd, done) => {
      log.push(`flush ${pathsByFd.get(fd)}`)
      fs.fsync(fd, done)
    },
  }
}

describe('createDirectory', () => {
  test('several levels missing -> each is durable before the next is created in it', async () => {
    const root = temporaryDirectory()
    const log: string[] = []
    await createDirectory(recordingCalls(root, log), join(root, 'a', 'b', 'c'))
    expect(log).toEqual([
      'create /a',
      'flush /',
      'create /a/b',
      'flush /a',
      'create /a/b/c',
      'flush /a/b',
    ])
  })

  test('exists -> nothing is done; its flush, as its creator may have died before, is asked for', async () => {
    const root = temporaryDirectory()
    fs.mkdirSync(join(root, 'a'))
    const log: string[] = []
    const calls = recordingCalls(root, log)
    expect(await createDirectory(calls, join(root, 'a'))).toBe('exists')
    expect(log).toEqual([])
    await flushExistingDirectory(calls, join(root, 'a'))
    expect(log).toEqual(['flush /'])
  })

  test('comes into being meanwhile -> exists', async () => {
    const root = temporaryDirectory()
    fs.mkdirSync(join(root, 'a'))
    const calls = { ...nodeSystemCalls, existsSync: () => false }
    expect(await createDirectory(calls, join(root, 'a'))).toBe('exists')
  })

  test('exists below a directory that may not be read -> is used', async () => {
    const root = temporaryDirectory()
    fs.mkdirSync(join(root, 'a'))
    const openSync = () => {
      throw systemError('EACCES')
    }
    const calls = { ...nodeSystemCalls, openSync }
    expect(await createDirectory(calls, join(root, 'a'))).toBe('exists')
    await flushExistingDirectory(calls, join(root, 'a'))
    await expect(
      createDirectory({ ...nodeSystemCalls, openSync }, join(root, 'b')),
    ).rejects.toMatchObject({
      code: 'io_failed',
    })
  })

  test.each(['EROFS', 'EACCES'])('%s -> read_only', async (systemCode) => {
    const mkdirSync = () => {
      throw systemError(systemCode)
    }
    await expect(createDirectory({ ...nodeSystemCalls, mkdirSync }, '/a/b')).rejects.toMatchObject({
      code: 'read_only',
      details: { systemCode },
    })
  })

  test('below a file, or a link to nowhere -> io_failed', async () => {
    const root = temporaryDirectory()
    fs.writeFileSync(join(root, 'file'), '')
    fs.symlinkSync(join(root, 'nowhere'), join(root, 'link'))
    for (const name of ['file', 'link']) {
      await expect(
        createDirectory(nodeSystemCalls, join(root, name, 'a', 'b')),
      ).rejects.toMatchObject({
        code: 'io_failed',
      })
    }
  })
})

describe('flushDirectory', () => {
  const failing = (code: string): NodeSystemCalls => ({
    ...nodeSystemCalls,
    fsync: (_fd, done) => setImmediate(done, systemError(code)),
  })

  test('EIO -> io_failed', async () => {
    await expect(flushDirectory(failing('EIO'), temporaryDirectory())).rejects.toMatchObject({
      code: 'io_failed',
      details: { operation: 'flush directory' },
    })
  })

  test('file system that has no such flush -> nothing to do', async () => {
    await flushDirectory(failing('EINVAL'), temporaryDirectory())
  })
})
