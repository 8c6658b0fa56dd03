/**
 * What every FileSystem must do, as a suite for any test runner. What a crash leaves behind cannot be
 * seen from here: an implementation shows that its flushes are real by other means.
 *
 * ```ts
 * import { describe, test } from 'vitest'
 * fileSystemConformance('my file system', async () => subject, { describe, test })
 * ```
 */

import {
  expectBytes,
  expectEqual,
  expectErrorCode,
  expectTypeError,
  failureOf,
} from './conformance-asserts.ts'
import type { File, FileSystem } from './file-system.ts'

/** A directory of its own for one test, empty or not yet created. */
export interface FileSystemSubject {
  /** Opens the same directory; each call as another part of the program would. */
  open(): FileSystem
  /** Called after the test. */
  dispose(): Promise<void>
}

/** The part of a test runner that is used; vitest, Jest and `node:test` all fit. */
export interface ConformanceRunner {
  describe(name: string, body: () => void): unknown
  test(name: string, body: () => Promise<void>): unknown
}

type DefineTest = (
  name: string,
  body: (fs: FileSystem, subject: FileSystemSubject) => Promise<void>,
) => void

/** Defines the tests of `name`, each with a new subject. */
export function fileSystemConformance(
  name: string,
  createSubject: () => Promise<FileSystemSubject>,
  runner: ConformanceRunner,
): void {
  const defineTest: DefineTest = (title, body) => {
    runner.test(title, async () => {
      const subject = await createSubject()
      try {
        await body(subject.open(), subject)
      } finally {
        await subject.dispose()
      }
    })
  }
  runner.describe(`FileSystem conformance: ${name}`, () => {
    defineReadTests(withLock(defineTest))
    defineWriteTests(withLock(defineTest))
    defineDirectoryTests(withLock(defineTest))
    defineMisuseTests(withLock(defineTest))
    defineLockTests(defineTest)
  })
}

function withLock(defineTest: DefineTest): DefineTest {
  return (title, body) => {
    defineTest(title, async (fs, subject) => {
      const lock = await fs.lock()
      try {
        await body(fs, subject)
      } finally {
        await lock.release()
      }
    })
  }
}

function defineReadTests(test: DefineTest): void {
  test('readAt: past the end -> returns what there is', async (fs) => {
    await withFile(fs, 'a', async (file) => {
      await file.writeAt(0, bytesOf(1, 2, 3))
      const target = new Uint8Array(5).fill(9)
      expectEqual(await file.readAt(1, target), 2)
      expectBytes(target, bytesOf(2, 3, 9, 9, 9))
      expectEqual(await file.readAt(3, target), 0)
      expectEqual(await file.readAt(1000, target), 0)
    })
  })

  test('readAt: part of a larger buffer -> leaves the rest alone', async (fs) => {
    await withFile(fs, 'a', async (file) => {
      await file.writeAt(0, bytesOf(1, 2, 3, 4))
      const buffer = new Uint8Array(6)
      expectEqual(await file.readAt(1, buffer.subarray(2, 4)), 2)
      expectBytes(buffer, bytesOf(0, 0, 2, 3, 0, 0))
    })
  })

  test('readAt: nothing asked -> reads nothing', async (fs) => {
    await withFile(fs, 'a', async (file) => {
      expectEqual(await file.readAt(0, new Uint8Array(0)), 0)
    })
  })
}

function defineWriteTests(test: DefineTest): void {
  test('writeAt: over the middle and the end -> replaces and extends', async (fs) => {
    await withFile(fs, 'a', async (file) => {
      await file.writeAt(0, bytesOf(1, 2, 3, 4))
      await file.writeAt(1, bytesOf(8))
      expectEqual(file.size(), 4)
      await file.writeAt(3, bytesOf(5, 6))
      expectEqual(file.size(), 5)
      expectBytes(await contentOf(file), bytesOf(1, 8, 3, 5, 6))
    })
  })

  test('writeAt: beyond the end -> fills the gap with zeros', async (fs) => {
    await withFile(fs, 'a', async (file) => {
      await file.writeAt(0, bytesOf(1))
      await file.writeAt(4, bytesOf(2))
      expectBytes(await contentOf(file), bytesOf(1, 0, 0, 0, 2))
    })
  })

  test('writeAt: no bytes -> changes nothing', async (fs) => {
    await withFile(fs, 'a', async (file) => {
      await file.writeAt(7, new Uint8Array(0))
      expectEqual(file.size(), 0)
    })
  })

  test('writeAt: part of a buffer that is then reused -> wrote what it held', async (fs) => {
    await withFile(fs, 'a', async (file) => {
      const buffer = bytesOf(1, 2, 3, 4)
      await file.writeAt(0, buffer.subarray(1, 3))
      buffer.fill(9)
      expectBytes(await contentOf(file), bytesOf(2, 3))
    })
  })

  test('writeAt: 3 MiB at an odd offset -> reads back equal', async (fs) => {
    await withFile(fs, 'a', async (file) => {
      const large = patternOf(3 * 2 ** 20)
      await file.writeAt(4099, large)
      expectEqual(file.size(), 4099 + large.length)
      expectBytes((await contentOf(file)).subarray(4099), large)
    })
  })

  test('truncate: shorter, then longer -> the cut bytes come back as zeros', async (fs) => {
    await withFile(fs, 'a', async (file) => {
      await file.writeAt(0, bytesOf(1, 2, 3, 4))
      await file.truncate(2)
      expectEqual(file.size(), 2)
      expectBytes(await contentOf(file), bytesOf(1, 2))
      await file.truncate(4)
      expectEqual(file.size(), 4)
      expectBytes(await contentOf(file), bytesOf(1, 2, 0, 0))
    })
  })

  test('truncate: shorter, then a write past the cut -> the gap is zeros', async (fs) => {
    await withFile(fs, 'a', async (file) => {
      await file.writeAt(0, bytesOf(1, 2, 3, 4))
      await file.truncate(1)
      await file.writeAt(3, bytesOf(5))
      expectBytes(await contentOf(file), bytesOf(1, 0, 0, 5))
    })
  })

  test('flush: at once, where the host can -> done or left undone, never beside another', async (fs) => {
    await withFile(fs, 'a', async (file) => {
      if (file.flushSync === undefined) return
      await file.writeAt(0, bytesOf(1))
      expectEqual(typeof file.flushSync(), 'boolean')
      const flushed = file.flush()
      expectEqual(file.flushSync(), false)
      await flushed
      expectEqual(typeof file.flushSync(), 'boolean')
      expectBytes(await contentOf(file), bytesOf(1))
    })
  })

  test('flush: again and at the same time -> all resolve', async (fs) => {
    await withFile(fs, 'a', async (file) => {
      await file.flush()
      await file.writeAt(0, bytesOf(1))
      await Promise.all([file.flush(), file.flush()])
      await file.flush()
      expectBytes(await contentOf(file), bytesOf(1))
    })
  })
}

function defineDirectoryTests(test: DefineTest): void {
  test('open: absent file -> undefined unless it is to be created', async (fs) => {
    expectEqual(await fs.open('a', { create: false }), undefined)
    expectEqual(await fs.list(), [])
    await withFile(fs, 'a', async (file) => {
      expectEqual([file.name, file.size()], ['a', 0])
    })
    expectEqual(await fs.list(), ['a'])
  })

  test('open: file that exists, with create -> keeps its content', async (fs) => {
    await writeFile(fs, 'a', bytesOf(1, 2))
    await withFile(fs, 'a', async (file) => {
      expectEqual(file.size(), 2)
      expectBytes(await contentOf(file), bytesOf(1, 2))
    })
  })

  test('reopen: after flush and release -> sees the files', async (fs, subject) => {
    await writeFile(fs, 'a', bytesOf(1, 2, 3))
    await fs.flushDirectory()
    const again = subject.open()
    expectEqual(await again.list(), ['a'])
    expectBytes(await readFile(again, 'a'), bytesOf(1, 2, 3))
  })

  test('rename: to a free name -> moves the content', async (fs) => {
    await writeFile(fs, 'a', bytesOf(1))
    await fs.rename('a', 'b')
    expectEqual(await fs.list(), ['b'])
    expectBytes(await readFile(fs, 'b'), bytesOf(1))
  })

  test('rename: to a name in use -> replaces that file', async (fs) => {
    await writeFile(fs, 'a', bytesOf(1))
    await writeFile(fs, 'b', bytesOf(2, 2, 2))
    await fs.rename('a', 'b')
    expectEqual(await fs.list(), ['b'])
    expectBytes(await readFile(fs, 'b'), bytesOf(1))
  })

  test('rename: absent file -> io_failed', async (fs) => {
    await expectErrorCode('io_failed', () => fs.rename('a', 'b'))
  })

  test('remove: file -> gone, and empty when created again', async (fs) => {
    await writeFile(fs, 'a', bytesOf(1))
    await fs.remove('a')
    expectEqual(await fs.list(), [])
    expectEqual(await fs.open('a', { create: false }), undefined)
    expectBytes(await readFile(fs, 'a'), bytesOf())
  })

  test('remove: absent file -> nothing happens', async (fs) => {
    await fs.remove('a')
    expectEqual(await fs.list(), [])
  })

  test('list: several files -> their names', async (fs) => {
    const names = ['a', 'B-2', 'data.db', 'wal-00000001.log', '_x']
    for (const name of names) await writeFile(fs, name, bytesOf(1))
    expectEqual([...(await fs.list())].sort(), [...names].sort())
  })
}

function defineMisuseTests(test: DefineTest): void {
  for (const name of ['', '.', '..', '.lock', 'a/b', 'a\\b', '../a', 'a\0b', 'a b', 'C:a']) {
    test(`names: ${JSON.stringify(name)} -> TypeError`, async (fs) => {
      await writeFile(fs, 'a', bytesOf(1))
      await expectTypeError(() => fs.open(name, { create: true }))
      await expectTypeError(() => fs.rename('a', name))
      await expectTypeError(() => fs.rename(name, 'a'))
      await expectTypeError(() => fs.remove(name))
      expectEqual(await fs.list(), ['a'])
    })
  }

  for (const position of [-1, 0.5, Number.NaN, 2 ** 53]) {
    test(`positions: ${position} -> TypeError`, async (fs) => {
      await withFile(fs, 'a', async (file) => {
        await expectTypeError(() => file.readAt(position, new Uint8Array(1)))
        await expectTypeError(() => file.writeAt(position, bytesOf(1)))
        await expectTypeError(() => file.truncate(position))
        expectEqual(file.size(), 0)
      })
    })
  }

  test('close: then any use -> fails, and closing again does not', async (fs) => {
    await writeFile(fs, 'b', bytesOf(1))
    await withFile(fs, 'a', async (file) => {
      await file.close()
      await failureOf(() => file.size())
      await failureOf(() => file.readAt(0, new Uint8Array(1)))
      await failureOf(() => file.writeAt(0, bytesOf(1)))
      await failureOf(() => file.truncate(0))
      await failureOf(() => file.flush())
      await file.close()
    })
  })
}

function defineLockTests(test: DefineTest): void {
  test('lock: held -> database_locked until released', async (fs, subject) => {
    const lock = await fs.lock()
    await expectErrorCode('database_locked', () => fs.lock())
    await expectErrorCode('database_locked', () => subject.open().lock())
    await lock.release()
    const next = await subject.open().lock()
    await next.release()
  })

  test('lock: released twice -> does not free the lock of the next owner', async (fs, subject) => {
    const first = await fs.lock()
    await first.release()
    const second = await subject.open().lock()
    await first.release()
    await expectErrorCode('database_locked', () => fs.lock())
    await second.release()
  })

  test('lock: many at once -> one gets it', async (fs, subject) => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => (index === 0 ? fs : subject.open()).lock()),
    )
    const locks = attempts.flatMap((attempt) =>
      attempt.status === 'fulfilled' ? [attempt.value] : [],
    )
    expectEqual(locks.length, 1)
    for (const attempt of attempts) {
      if (attempt.status === 'fulfilled') await attempt.value.release()
      else await expectErrorCode('database_locked', () => Promise.reject(attempt.reason))
    }
  })

  test('lock: held -> the directory shows no file for it', async (fs) => {
    const lock = await fs.lock()
    expectEqual(await fs.list(), [])
    await lock.release()
    expectEqual(await fs.list(), [])
  })
}

async function withFile(
  fs: FileSystem,
  name: string,
  use: (file: File) => Promise<void>,
): Promise<void> {
  const file = await fs.open(name, { create: true })
  if (file === undefined) throw new Error(`open did not create ${name}`)
  try {
    await use(file)
  } finally {
    await file.close()
  }
}

async function writeFile(fs: FileSystem, name: string, bytes: Uint8Array): Promise<void> {
  await withFile(fs, name, async (file) => {
    await file.writeAt(0, bytes)
    await file.flush()
  })
}

async function readFile(fs: FileSystem, name: string): Promise<Uint8Array> {
  let bytes = new Uint8Array(0)
  await withFile(fs, name, async (file) => {
    bytes = await contentOf(file)
  })
  return bytes
}

async function contentOf(file: File): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(file.size())
  expectEqual(await file.readAt(0, bytes), bytes.length)
  return bytes
}

function bytesOf(...bytes: number[]): Uint8Array {
  return Uint8Array.from(bytes)
}

/** No two pages of it are alike. */
function patternOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >>> 12)) & 0xff)
}
