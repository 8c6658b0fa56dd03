/** What a file does when the disk does not. */

import * as fs from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { File } from './file-system.ts'
import { temporaryDirectory } from './node-directory.test-kit.ts'
import { createNodeFileSystem } from './node-file-system.ts'
import { type NodeSystemCalls, nodeSystemCalls } from './node-system-calls.ts'

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code })
}

async function openFile(systemCalls: Partial<NodeSystemCalls>): Promise<File> {
  const fileSystem = createNodeFileSystem(temporaryDirectory(), {
    systemCalls: { ...nodeSystemCalls, ...systemCalls },
  })
  const file = await fileSystem.open('a', { create: true })
  if (file === undefined) throw new Error('not created')
  return file
}

/** Throws `code` at the calls whose number (from 1) is in `when`. */
function failAt(when: readonly number[], code: string): () => void {
  let calls = 0
  return () => {
    calls += 1
    if (when.includes(calls)) throw systemError(code)
  }
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index % 251)
}

describe('node file, write', () => {
  test('system writes a few bytes at a time -> all are written', async () => {
    const file = await openFile({
      writeSync: (fd, bytes, start, length, position) =>
        fs.writeSync(fd, bytes, start, Math.min(length, 7), position),
    })
    file.writeAt(3, pattern(100))
    const target = new Uint8Array(100)
    expect(file.readAt(3, target)).toBe(100)
    expect(target).toEqual(pattern(100))
    expect(file.size()).toBe(103)
  })

  test.each([
    ['ENOSPC', 'disk_full', 'later'],
    ['EDQUOT', 'disk_full', 'later'],
    ['EFBIG', 'disk_full', 'later'],
    ['EIO', 'io_failed', 'no'],
    ['EROFS', 'io_failed', 'no'],
  ])(
    'short count, then %s -> %s, size as far as written, later writes work',
    async (systemCode, code, retry) => {
      const fail = failAt([2], systemCode)
      const file = await openFile({
        writeSync: (fd, bytes, start, length, position) => {
          fail()
          return fs.writeSync(fd, bytes, start, Math.min(length, 13), position)
        },
      })
      expect(() => file.writeAt(0, pattern(64))).toThrow(
        expect.objectContaining({
          code,
          retry,
          details: { file: 'a', operation: 'write', systemCode },
        }),
      )
      expect(file.size()).toBe(13)
      file.writeAt(0, pattern(64))
      expect(file.size()).toBe(64)
      await file.flush()
    },
  )

  test('system reports no progress and no error -> io_failed', async () => {
    const file = await openFile({ writeSync: () => 0 })
    expect(() => file.writeAt(0, pattern(8))).toThrow(
      expect.objectContaining({ code: 'io_failed' }),
    )
  })

  test('truncate: disk full -> disk_full, size unchanged', async () => {
    const file = await openFile({
      ftruncateSync: () => {
        throw systemError('ENOSPC')
      },
    })
    expect(() => file.truncate(100)).toThrow(expect.objectContaining({ code: 'disk_full' }))
    expect(file.size()).toBe(0)
  })
})

describe('node file, read', () => {
  test('system reads a few bytes at a time -> target is filled', async () => {
    const file = await openFile({
      readSync: (fd, target, start, length, position) =>
        fs.readSync(fd, target, start, Math.min(length, 7), position),
    })
    file.writeAt(0, pattern(100))
    const target = new Uint8Array(120)
    expect(file.readAt(0, target)).toBe(100)
    expect(target.subarray(0, 100)).toEqual(pattern(100))
  })

  test('more than 2 GiB -> in calls of which the system takes each', async () => {
    // Where a call begins; Node itself refuses a length from 2^31 on. The bytes are not touched.
    const starts: number[] = []
    const pretend = (_fd: number, bytes: Uint8Array, start: number, length: number): number => {
      if (length >= 2 ** 31) return fs.readSync(0, bytes, start, length, 0)
      starts.push(start)
      return length
    }
    const file = await openFile({ readSync: pretend, writeSync: pretend })
    const bytes = new Uint8Array(2 ** 31 + 5)
    expect(file.readAt(0, bytes)).toBe(bytes.length)
    file.writeAt(0, bytes)
    expect(starts).toEqual([0, 2 ** 30, 2 ** 31, 0, 2 ** 30, 2 ** 31])
    await file.close()
  })

  test('EIO once -> io_failed, the next read succeeds', async () => {
    const fail = failAt([1], 'EIO')
    const file = await openFile({
      readSync: (...args) => {
        fail()
        return fs.readSync(...args)
      },
    })
    file.writeAt(0, pattern(8))
    const target = new Uint8Array(8)
    expect(() => file.readAt(0, target)).toThrow(
      expect.objectContaining({
        code: 'io_failed',
        details: expect.objectContaining({ operation: 'read' }),
      }),
    )
    expect(file.readAt(0, target)).toBe(8)
    expect(target).toEqual(pattern(8))
  })
})

describe('node file, flush', () => {
  test.each([
    ['EIO', 'io_failed'],
    ['ENOSPC', 'disk_full'],
  ])('%s -> %s, then no write or flush any more, but reads', async (systemCode, code) => {
    let flushes = 0
    const file = await openFile({
      fdatasync: (_fd, done) => {
        flushes += 1
        setImmediate(done, systemError(systemCode))
      },
    })
    file.writeAt(0, pattern(8))
    await expect(file.flush()).rejects.toMatchObject({
      code,
      retry: 'after-reopen',
      details: { operation: 'flush' },
    })
    const latched = expect.objectContaining({ code: 'io_failed', retry: 'after-reopen' })
    await expect(file.flush()).rejects.toEqual(latched)
    expect(() => file.writeAt(0, pattern(8))).toThrow(latched)
    expect(() => file.truncate(0)).toThrow(latched)
    expect(flushes).toBe(1)
    expect(file.readAt(0, new Uint8Array(8))).toBe(8)
    await file.close()
  })

  test('two at once, the first fails -> the second fails without asking the system', async () => {
    let flushes = 0
    const file = await openFile({
      fdatasync: (_fd, done) => {
        flushes += 1
        setImmediate(done, flushes === 1 ? systemError('EIO') : null)
      },
    })
    const outcomes = await Promise.allSettled([file.flush(), file.flush()])
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected'])
    expect(flushes).toBe(1)
  })

  test('at once, fails -> as a flush that fails later', async () => {
    let flushes = 0
    const file = await openFile({
      fdatasyncSync: () => {
        flushes += 1
        throw systemError('EIO')
      },
    })
    file.writeAt(0, pattern(8))
    expect(() => file.flushSync?.()).toThrow(
      expect.objectContaining({ code: 'io_failed', retry: 'after-reopen' }),
    )
    const latched = expect.objectContaining({ code: 'io_failed', retry: 'after-reopen' })
    expect(() => file.flushSync?.()).toThrow(latched)
    await expect(file.flush()).rejects.toEqual(latched)
    expect(() => file.writeAt(0, pattern(8))).toThrow(latched)
    expect(flushes).toBe(1)
    await file.close()
  })

  test('at once, while another is under way -> false, and nothing is asked of the system', async () => {
    const order: string[] = []
    const file = await openFile({
      fdatasync: (_fd, done) => {
        order.push('later')
        setImmediate(done, null)
      },
      fdatasyncSync: () => order.push('at once'),
    })
    const flushed = file.flush()
    expect(file.flushSync?.()).toBe(false)
    await flushed
    expect(file.flushSync?.()).toBe(true)
    expect(order).toEqual(['later', 'at once'])
    await file.close()
  })

  test('at once, while another file of the directory is flushed -> false', async () => {
    const fileSystem = createNodeFileSystem(temporaryDirectory())
    const [a, b] = await Promise.all(
      ['a', 'b'].map((name) => fileSystem.open(name, { create: true })),
    )
    const flushed = a?.flush()
    expect(b?.flushSync?.()).toBe(false)
    await flushed
    expect(b?.flushSync?.()).toBe(true)
    await a?.close()
    await b?.close()
  })

  test('at once, on a slow disk -> false for a while, so that the process does not stand still', async () => {
    let now = 0
    let flushMs = 1
    const file = await openFile({
      now: () => now,
      fdatasyncSync: () => {
        now += flushMs
      },
    })
    const answers = (length: number) => Array.from({ length }, () => file.flushSync?.())
    expect(answers(100)).not.toContain(false)
    flushMs = 8
    // Once is no reason; a second time is.
    expect(answers(1)).toEqual([true])
    flushMs = 1
    expect(answers(50)).not.toContain(false)
    flushMs = 8
    expect(answers(53)).toEqual([true, true, ...new Array(50).fill(false), true])
    flushMs = 1
    expect(answers(500).slice(-100)).not.toContain(false)
    await file.close()
  })

  test('close during a flush -> waits for it before the descriptor is given back', async () => {
    const order: string[] = []
    const file = await openFile({
      fdatasync: (fd, done) => {
        setTimeout(() => {
          order.push('flushed')
          fs.fdatasync(fd, done)
        }, 20)
      },
      closeSync: (fd) => {
        order.push('closed')
        fs.closeSync(fd)
      },
    })
    file.writeAt(0, pattern(8))
    const flushed = file.flush()
    await file.close()
    await flushed
    expect(order).toEqual(['flushed', 'closed'])
  })
})
