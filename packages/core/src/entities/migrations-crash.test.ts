/**
 * An opening that migrates, cut short at every operation of the disk: by the death of its process, by a power
 * loss, by an error, by a disk that is full.
 */
import { describe, expect, test } from 'vitest'
import { EntiDBError } from '../errors/entidb-error.ts'
import type { FileSystem } from '../files/file-system.ts'
import { Random } from '../store/random.ts'
import { diskWith, SimulatedDisk } from '../store/simulated-disk.ts'
import type { MountOptions } from '../store/simulated-mount.ts'
import { treeStorage } from '../store/tree-storage.ts'
import { defineCollection } from './collection-definition.ts'
import {
  firstVersion,
  migratedPersonOf,
  openPeople,
  personOf,
  secondVersion,
} from './migrations.test-kit.ts'
import { openDatabase } from './open-database.ts'

type Image = ReadonlyMap<string, Uint8Array>

const COUNT = 20
const entitiesBefore = Array.from({ length: COUNT }, (_, i) => personOf(i))
const entitiesAfter = Array.from({ length: COUNT }, (_, i) => {
  const { status: _status, ...person } = migratedPersonOf(i)
  return person
})

async function imageOfFirstVersion(): Promise<Image> {
  const disk = new SimulatedDisk(new Random(1))
  const db = await openPeople(treeStorage(disk.mount()), firstVersion)
  await db.collection('people').putMany(entitiesBefore)
  await db.close()
  return disk.image()
}

/** Stores entities anew in several transactions. */
async function migrate(mount: FileSystem): Promise<void> {
  const storage = treeStorage(mount)
  const bounds = { entitiesMax: 8, bytesMax: 1e6 }
  const { core } = await openDatabase({ storage, collections: { people: secondVersion } }, bounds)
  await core.store.close()
}

/** The new code goes on where the other ended; answers how many entities were stored anew by then. */
async function expectMigratable(image: Image, label: string): Promise<number> {
  const disk = diskWith(new Random(2), image)
  const store = await treeStorage(disk.mount()).open({ durability: 'strict', readOnly: true })
  const view = store.snapshot()
  const { values } = await view.scan('c:people', {}).next(100)
  view.release()
  await store.close()
  const done = values.filter((record) => record[2] === 2).length
  const db = await openPeople(treeStorage(disk.mount()), secondVersion)
  const people = db.collection('people')
  expect(await people.find(), label).toEqual(entitiesAfter)
  expect(await people.find({ where: { last: 'Last3' } }), label).toHaveLength(3)
  expect((await db.verify()).problems, label).toEqual([])
  await db.close()
  // All are stored anew, so no step is needed.
  const { indexes = {} } = secondVersion
  const again = await openPeople(
    treeStorage(disk.mount()),
    defineCollection({ version: 2, indexes }),
  )
  expect(await again.collection('people').find(), label).toEqual(entitiesAfter)
  await again.close()
  return done
}

/** The old code finds all as it was, or is told that it is too old. */
async function oldCodeOpens(image: Image, label: string): Promise<boolean> {
  const storage = treeStorage(diskWith(new Random(3), image).mount())
  try {
    const db = await openPeople(storage, firstVersion)
    expect(await db.collection('people').find(), label).toEqual(entitiesBefore)
    expect(await db.collection('people').count({ where: { name: 'First3 Last3' } })).toBe(1)
    await db.close()
    return true
  } catch (error) {
    expect(error, label).toMatchObject({ code: 'data_newer_than_code' })
    return false
  }
}

describe('an opening that migrates', { timeout: 120_000 }, () => {
  test('dies at any operation -> whole before or whole after; the next goes on', async () => {
    const image = await imageOfFirstVersion()
    const doneCounts = new Set<number>()
    const oldOpened = new Set<boolean>()
    for (let crashAt = 1; ; crashAt++) {
      const disk = diskWith(new Random(crashAt), image)
      const mount = disk.mount({ crashAt })
      await migrate(mount).catch(() => {})
      const label = `crash at operation ${crashAt} (${mount.last.join(' ')})`
      doneCounts.add(await expectMigratable(disk.image(), `${label}, killed`))
      disk.losePower()
      doneCounts.add(await expectMigratable(disk.image(), `${label}, power lost`))
      oldOpened.add(await oldCodeOpens(disk.image(), label))
      if (!mount.isCrashed) break
    }
    // It was cut short in the middle too.
    expect([...doneCounts].sort((a, b) => a - b)).toEqual([0, 8, 16, 20])
    expect(oldOpened).toEqual(new Set([true, false]))
  })

  test.each(['disk_full', 'io_failed'] as const)(
    'any operation fails with %s -> the same',
    async (code) => {
      const image = await imageOfFirstVersion()
      let failures = 0
      for (let failAt = 1; ; failAt++) {
        let hasFailed = false
        const failure: MountOptions['failure'] = (operation, file, count, growth) => {
          if (count < failAt || hasFailed || (code === 'disk_full' && growth === 0))
            return undefined
          hasFailed = true
          return new EntiDBError(code, 'simulated', { details: { file, operation } })
        }
        const disk = diskWith(new Random(failAt), image)
        const outcome = await migrate(disk.mount({ failure })).then(
          () => 'opened',
          (error) => error.code,
        )
        const label = `${code} at operation ${failAt}: ${outcome}`
        expect(['opened', code, 'database_failed', 'commit_unknown'], label).toContain(outcome)
        await expectMigratable(disk.image(), label)
        if (!hasFailed) break
        if (outcome !== 'opened') failures++
      }
      expect(failures).toBeGreaterThan(3)
    },
  )
})
