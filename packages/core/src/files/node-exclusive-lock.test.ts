/** With the flags of macOS and Windows played on a system that may have neither. */

import { closeSync, constants, openSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from './node-directory.test-kit.ts'
import { lockByExclusiveOpen } from './node-exclusive-lock.ts'

interface Platform {
  readonly name: string
  readonly exclusiveFlags: number
  readonly heldCode: string
}

const platforms: readonly Platform[] = [
  { name: 'darwin', exclusiveFlags: 0x24, heldCode: 'EAGAIN' },
  { name: 'win32', exclusiveFlags: 0x10000000, heldCode: 'EBUSY' },
]

/** Opens a path once at a time, as the platform does when asked by its flags. */
class ExclusiveCalls {
  readonly #pathsByFd = new Map<number, string>()
  readonly #platform: Platform

  constructor(platform: Platform) {
    this.#platform = platform
  }

  openSync(path: string, flags: string | number, mode?: number): number {
    if (flags !== (constants.O_RDWR | constants.O_CREAT | this.#platform.exclusiveFlags)) {
      throw new Error(`flags ${flags}`)
    }
    if ([...this.#pathsByFd.values()].includes(path)) {
      throw Object.assign(new Error('held'), { code: this.#platform.heldCode })
    }
    const fd = openSync(path, 'a+', mode)
    this.#pathsByFd.set(fd, path)
    return fd
  }

  closeSync(fd: number): void {
    if (!this.#pathsByFd.delete(fd)) throw new Error(`fd ${fd} is not open`)
    closeSync(fd)
  }
}

describe.each(platforms)('exclusive lock on $name', (platform) => {
  const lock = (calls: ExclusiveCalls, directory: string) =>
    lockByExclusiveOpen(calls, directory, platform.name)

  test('held -> database_locked with the holder, until released', async () => {
    const directory = temporaryDirectory()
    const calls = new ExclusiveCalls(platform)
    const first = lock(calls, directory)
    expect(() => lock(calls, directory)).toThrow(
      expect.objectContaining({
        code: 'database_locked',
        details: { directory, holder: { pid: process.pid } },
      }),
    )
    await first.release()
    const second = lock(calls, directory)
    await first.release()
    expect(() => lock(calls, directory)).toThrow(
      expect.objectContaining({ code: 'database_locked' }),
    )
    await second.release()
  })

  test('runtime that drops the flag -> io_failed instead of a lock that protects nothing', () => {
    const opened: number[] = []
    const calls = {
      openSync: (path: string) => {
        const fd = openSync(path, 'a+')
        opened.push(fd)
        return fd
      },
      closeSync: (fd: number) => {
        opened.splice(opened.indexOf(fd), 1)
        closeSync(fd)
      },
    }
    expect(() => lockByExclusiveOpen(calls, temporaryDirectory(), platform.name)).toThrow(
      expect.objectContaining({ code: 'io_failed' }),
    )
    expect(opened).toEqual([])
  })

  test('directory that may not be written -> read_only', () => {
    const calls = {
      openSync: () => {
        throw Object.assign(new Error('denied'), { code: 'EACCES' })
      },
      closeSync,
    }
    expect(() => lockByExclusiveOpen(calls, temporaryDirectory(), platform.name)).toThrow(
      expect.objectContaining({ code: 'read_only' }),
    )
  })
})
