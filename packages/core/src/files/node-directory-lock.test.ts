/** The lock among real processes, on the system that runs the test. */

import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from './node-directory.test-kit.ts'
import {
  type ChildEvent,
  LockingProcess,
  startHolder,
  tryLock,
} from './node-directory-lock.test-kit.ts'
import { createNodeFileSystem } from './node-file-system.ts'

const locked = (pid: number | undefined) =>
  expect.objectContaining({
    code: 'database_locked',
    details: expect.objectContaining({ holder: { pid } }),
  })

describe('directory lock', () => {
  test('second process: first one holds it -> database_locked with the holder', async () => {
    const directory = temporaryDirectory()
    const holder = await startHolder(directory)
    const other = await startHolder(directory)
    expect(await tryLock(holder)).toMatchObject({ event: 'locked' })
    expect(await tryLock(other)).toEqual(locked(holder.pid))
  })

  test('second process: first one released it -> gets it', async () => {
    const directory = temporaryDirectory()
    const holder = await startHolder(directory)
    await tryLock(holder)
    holder.command('release')
    expect(await holder.next()).toEqual({ event: 'released' })
    expect(await tryLock(await startHolder(directory))).toMatchObject({ event: 'locked' })
  })

  test('same process: twice -> database_locked with its own pid', async () => {
    const directory = temporaryDirectory()
    const lock = await createNodeFileSystem(directory).lock()
    await expect(createNodeFileSystem(directory).lock()).rejects.toEqual(locked(process.pid))
    await lock.release()
  })

  test('symbolic link: to a locked directory -> database_locked', async () => {
    const parent = temporaryDirectory()
    const [directory, link] = [join(parent, 'real'), join(parent, 'link')]
    mkdirSync(directory)
    symlinkSync(directory, link)
    const lock = await createNodeFileSystem(directory).lock()
    await expect(createNodeFileSystem(link).lock()).rejects.toEqual(locked(process.pid))
    expect(await tryLock(await startHolder(link))).toEqual(locked(process.pid))
    await lock.release()
  })

  test('holder killed: by SIGKILL -> the next gets it at once', async () => {
    const directory = temporaryDirectory()
    const holder = await startHolder(directory)
    const next = await startHolder(directory)
    await tryLock(holder)
    await holder.kill()
    expect(await tryLock(next)).toMatchObject({ event: 'locked' })
    next.command('release')
    await next.next()
    expect(readdirSync(directory).filter((name) => name.startsWith('.lock-'))).toEqual([])
  })

  test('holder stopped: asked more often than connections queue -> database_locked', async () => {
    const directory = temporaryDirectory()
    const holder = await startHolder(directory)
    await tryLock(holder)
    holder.signal('SIGSTOP')
    const fileSystem = createNodeFileSystem(directory)
    for (let attempt = 0; attempt < 600; attempt += 1) {
      await expect(fileSystem.lock()).rejects.toEqual(locked(holder.pid))
    }
  })

  test('directory with a long path: holder killed -> locked before, taken over after', async () => {
    const directory = join(temporaryDirectory(), 'x'.repeat(150), 'ü'.repeat(100))
    const holder = await startHolder(directory)
    await tryLock(holder)
    const fileSystem = createNodeFileSystem(directory)
    await expect(fileSystem.lock()).rejects.toEqual(locked(holder.pid))
    await holder.kill()
    const lock = await fileSystem.lock()
    await lock.release()
  })

  test('process with nothing else to do: holds it -> exits by itself', async () => {
    const child = new LockingProcess('lockAndReturn', temporaryDirectory())
    expect(await child.next()).toMatchObject({ event: 'locked' })
    await child.exited
    expect(child.exitCode).toBe(0)
  })

  test('worker of node:cluster: killed while its parent lives -> lock is free', async () => {
    // The short form of a long path means something in the worker itself only.
    const directory = join(temporaryDirectory(), 'x'.repeat(200))
    const parent = await startHolder(directory, 'holdInWorker')
    const worker = await tryLock(parent)
    expect(worker).toMatchObject({ event: 'locked' })
    const next = createNodeFileSystem(directory)
    await expect(next.lock()).rejects.toEqual(locked(worker?.pid))
    parent.command('kill')
    expect(await parent.next()).toEqual({ event: 'worker-died' })
    const lock = await next.lock()
    await lock.release()
  })
})

describe('directory lock, contended', () => {
  test('8 processes: lock of a killed one -> exactly one gets it, 10 times over', async () => {
    const directory = temporaryDirectory()
    const contenders = await Promise.all(Array.from({ length: 8 }, () => startHolder(directory)))
    for (let round = 0; round <= 10; round += 1) {
      // From the second round on, the lock is that of a process that was killed.
      const outcomes = await Promise.all(contenders.map(tryLock))
      const winners = outcomes.filter((outcome) => outcome?.event === 'locked')
      expect(winners).toHaveLength(1)
      const losers = outcomes.filter((outcome) => outcome?.event !== 'locked')
      for (const loser of losers) expect(loser).toEqual(locked(winners[0]?.pid))
      const won = contenders.findIndex(({ pid }) => pid === winners[0]?.pid)
      await contenders[won]?.kill()
      contenders[won] = await startHolder(directory)
    }
  }, 120_000)

  test.each([
    ['short', ''],
    ['long', 'x'.repeat(200)],
  ])(
    '6 processes, %s path: killed at random moments -> never two owners',
    async (_kind, name) => {
      const directory = join(temporaryDirectory(), name)
      const wrong: ChildEvent[] = []
      let owners = 0
      // By what was seen, not by the clock: a busy machine takes longer.
      const contendUntilEnd = async () => {
        while (owners < 30 && wrong.length === 0) {
          const child = await startHolder(directory, 'contend')
          const killed = setTimeout(() => child.signal('SIGKILL'), Math.random() * 400)
          for (let seen = await child.next(); seen !== undefined; seen = await child.next()) {
            if (seen.event === 'owned') owners += 1
            else wrong.push(seen)
          }
          await child.exited
          clearTimeout(killed)
        }
      }
      await Promise.all(Array.from({ length: 6 }, contendUntilEnd))
      expect(wrong).toEqual([])
      const lock = await createNodeFileSystem(directory).lock()
      await lock.release()
      expect(readdirSync(directory)).toEqual(['witness'])
    },
    120_000,
  )
})
