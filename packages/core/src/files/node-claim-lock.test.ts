import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lockByClaim, type ShowLife } from './node-claim-lock.ts'
import { temporaryDirectory } from './node-directory.test-kit.ts'
import { showLife } from './node-local-socket.ts'

const onLinux = process.platform === 'linux'
const locked = expect.objectContaining({ code: 'database_locked' })

/** A file system without sockets; addresses without a file still work. */
const listenWithoutSocketFiles: ShowLife = async (address) => {
  if (address.startsWith('\0')) return showLife(address)
  throw Object.assign(new Error('no sockets here'), { code: 'EOPNOTSUPP' })
}

describe.runIf(onLinux)('claim lock', () => {
  test('file system without sockets: held -> database_locked until released', async () => {
    const directory = temporaryDirectory()
    const lock = await lockByClaim(directory, listenWithoutSocketFiles)
    const claims = readdirSync(join(directory, '.lock'))
    expect(claims.map((id) => lstatSync(join(directory, '.lock', id)).isFile())).toEqual([true])
    await expect(lockByClaim(directory, listenWithoutSocketFiles)).rejects.toEqual(locked)
    await lock.release()
    const next = await lockByClaim(directory, listenWithoutSocketFiles)
    await next.release()
  })

  test('file system without sockets: claim of a dead process -> taken over', async () => {
    const directory = temporaryDirectory()
    mkdirSync(join(directory, '.lock'))
    writeFileSync(join(directory, '.lock', '4711-00c0ffee'), '')
    const lock = await lockByClaim(directory, listenWithoutSocketFiles)
    expect(readdirSync(join(directory, '.lock'))).not.toContain('4711-00c0ffee')
    await lock.release()
  })

  test('preparations: of dead and of living processes -> only the dead ones are tidied up', async () => {
    const directory = temporaryDirectory()
    for (const id of ['1-dead', '2-empty', '3-alive']) mkdirSync(join(directory, `.lock-${id}`))
    writeFileSync(join(directory, '.lock-1-dead', '1-dead'), '')
    const alive = await showLife(join(directory, '.lock-3-alive', '3-alive'))
    const lock = await lockByClaim(directory)
    expect(readdirSync(directory).sort()).toEqual(['.lock', '.lock-3-alive'])
    await lock.release()
    await alive.end()
  })

  test('preparation: tidied away by an owner before it listens -> tries again', async () => {
    const directory = temporaryDirectory()
    let attempts = 0
    const listenAfterTidying: ShowLife = async (address) => {
      attempts += 1
      if (attempts === 1) rmSync(join(address, '..'), { recursive: true })
      return showLife(address)
    }
    const lock = await lockByClaim(directory, listenAfterTidying)
    expect(attempts).toBe(2)
    await expect(lockByClaim(directory)).rejects.toEqual(locked)
    await lock.release()
  })

  test('preparation: tidied away after it was bound -> tries again instead of owning nothing', async () => {
    const directory = temporaryDirectory()
    let attempts = 0
    const listenThenTidied: ShowLife = async (address) => {
      attempts += 1
      const signOfLife = await showLife(address)
      if (attempts === 1) rmSync(address)
      return signOfLife
    }
    const lock = await lockByClaim(directory, listenThenTidied)
    expect(attempts).toBe(2)
    await expect(lockByClaim(directory)).rejects.toEqual(locked)
    await lock.release()
  })

  test('preparation: cannot listen -> io_failed, nothing left behind', async () => {
    const directory = temporaryDirectory()
    const failing: ShowLife = async () => {
      throw Object.assign(new Error('no descriptors'), { code: 'EMFILE' })
    }
    await expect(lockByClaim(directory, failing)).rejects.toMatchObject({
      code: 'io_failed',
      details: { file: '.lock', operation: 'lock', systemCode: 'EMFILE' },
    })
    expect(readdirSync(directory)).toEqual([])
  })

  test('release: claim already removed by hand -> frees all the same', async () => {
    const directory = temporaryDirectory()
    const lock = await lockByClaim(directory)
    rmSync(join(directory, '.lock'), { recursive: true })
    await lock.release()
    await (await lockByClaim(directory)).release()
    expect(existsSync(join(directory, '.lock'))).toBe(false)
  })
})
