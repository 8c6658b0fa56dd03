/** Indexes of what is stored already: made in steps, taken up again, and refused where they cannot be. */
import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import type { Storage } from '../store/key-value-store.ts'
import { Random } from '../store/random.ts'
import { SimulatedDisk } from '../store/simulated-disk.ts'
import { SimulatedCrash } from '../store/simulated-mount.ts'
import { tinySettings } from '../store/store-workload.test-kit.ts'
import { treeStorage } from '../store/tree-storage.ts'
import { type CollectionOptions, defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import { openDatabase } from './open-database.ts'
import type { OpenProgress } from './open-work.ts'

interface Note {
  readonly id: string
  readonly text: string
  readonly tags?: readonly string[]
}

type Indexes = NonNullable<CollectionOptions<Note>['indexes']>

const STEPS = { entitiesMax: 7, bytesMax: 1_000_000 }
const wanted: Indexes = { text: ['text'], tags: ['tags[]', { text: 'desc' }] }

function collectionsWith(indexes: Indexes) {
  return { notes: defineCollection<Note>({ indexes }) }
}

function open(storage: Storage, indexes: Indexes, onProgress?: (step: OpenProgress) => void) {
  const collections = collectionsWith(indexes)
  return EntiDB.open({ storage, collections, ...(onProgress === undefined ? {} : { onProgress }) })
}

function notes(count: number): Note[] {
  return Array.from({ length: count }, (_, i) => ({
    id: String(i).padStart(4, '0'),
    text: `text ${i % 5}`,
    tags: [`t${i % 3}`, `t${i % 4}`],
  }))
}

async function store(storage: Storage, all: readonly Note[], indexes: Indexes = {}) {
  const db = await open(storage, indexes)
  await db.collection('notes').putMany(all)
  await db.close()
}

async function expectWhole(storage: Storage, count: number, indexes: Indexes): Promise<void> {
  const db = await open(storage, indexes)
  const { problems, checked } = await db.verify()
  expect(problems).toEqual([])
  expect(checked.indexEntries).toBeGreaterThan(count)
  expect(await db.collection('notes').explain({ where: { text: 'text 1' } })).toMatchObject({
    index: 'text',
  })
  await db.close()
}

describe('an index over what is stored', () => {
  test('the process dies at each operation of the opening -> the next opening makes it whole', async () => {
    for (let crashAt = 1; ; crashAt++) {
      const random = new Random(crashAt)
      const disk = new SimulatedDisk(random)
      const storageOn = (mount: ReturnType<SimulatedDisk['mount']>) =>
        treeStorage(mount, tinySettings(random))
      await store(storageOn(disk.mount()), notes(40))
      const mount = disk.mount({ crashAt })
      const collections = collectionsWith(wanted)
      try {
        const { core } = await openDatabase({ storage: storageOn(mount), collections }, STEPS)
        await core.store.close()
      } catch (error) {
        if (!mount.isCrashed) throw error
        expect(String(error)).toContain(new SimulatedCrash().name)
      }
      const hasCrashed = mount.isCrashed
      mount.kill()
      disk.losePower()
      await expectWhole(storageOn(disk.mount()), 40, wanted)
      if (!hasCrashed) break
    }
  })

  /** Opens for the indexes, and stops when the first step is durable. */
  async function beginBuilding(storage: Storage, indexes: Indexes): Promise<void> {
    const stop = new Error('stopped by the user')
    const stopping = openDatabase(
      {
        storage,
        collections: collectionsWith(indexes),
        onProgress: () => {
          throw stop
        },
      },
      STEPS,
    )
    await expect(stopping).rejects.toBe(stop)
  }

  test('stopped, then opened again -> goes on where it was', async () => {
    const storage = memoryStorage()
    await store(storage, notes(40))
    await beginBuilding(storage, wanted)
    const steps: OpenProgress[] = []
    const onProgress = (step: OpenProgress) => steps.push(step)
    const collections = collectionsWith(wanted)
    const { core } = await openDatabase({ storage, collections, onProgress }, STEPS)
    await core.store.close()
    expect(steps.filter(({ index }) => index === 'text').map(({ done }) => done)).toEqual([
      14, 21, 28, 35, 40,
    ])
    await expectWhole(storage, 40, wanted)
  })

  test('stopped, and an entity is replicated to it before the next opening -> whole', async () => {
    const storage = memoryStorage()
    await store(storage, notes(40))
    await beginBuilding(storage, wanted)
    const other = await EntiDB.open({ storage, collections: {} })
    expect((await other.verify()).problems).toEqual([])
    for (const entityId of ['0003', '0030', '9999']) {
      const bytes = encodeEntity({ id: entityId, text: 'text 1', tags: ['new'] })
      const operation = { collection: 'notes', entityId, version: 1, schemaVersion: 1, bytes }
      await other.transaction((tx) => tx.applyRaw(operation))
    }
    await other.close()
    await expectWhole(storage, 41, wanted)
  })

  test('stopped, then opened with another index of the name, and with none -> nothing of it is left', async () => {
    const storage = memoryStorage()
    await store(storage, notes(40))
    await beginBuilding(storage, wanted)
    await expectWhole(storage, 40, { text: [{ text: 'desc' }, 'id'], tags: ['tags[]'] })
    await beginBuilding(storage, wanted)
    const db = await open(storage, {})
    const { problems, checked } = await db.verify()
    expect(problems).toEqual([])
    expect(checked.indexEntries).toBe(0)
    await db.close()
  })
})

describe('a unique index over what is stored', () => {
  const unique: Indexes = { text: { on: ['text'], unique: true } }
  const replicated = async (storage: Storage, ids: readonly string[]) => {
    const db = await open(storage, {})
    for (const entityId of ids) {
      const bytes = encodeEntity({ id: entityId, text: 'same' })
      const operation = { collection: 'notes', entityId, version: 1, schemaVersion: 1, bytes }
      await db.transaction((tx) => tx.applyRaw(operation))
    }
    await db.close()
  }

  test('two entities of one key -> unique_violation with the ids; opens as before, and when mended', async () => {
    const storage = memoryStorage()
    const all = [...notes(5), { id: 'x', text: 'text 3' }, { id: 'y', text: 'text 3' }]
    await store(storage, all)
    for (let i = 0; i < 2; i++) {
      await expect(open(storage, unique)).rejects.toMatchObject({
        code: 'unique_violation',
        details: { collection: 'notes', index: 'text', ids: ['0003', 'x', 'y'] },
      })
    }
    const before = await open(storage, {})
    await before.collection('notes').delete('0003')
    await before.collection('notes').put({ id: 'x', text: 'x' })
    await before.close()
    const db = await open(storage, unique)
    expect((await db.verify()).problems).toEqual([])
    const again = db.collection('notes').put({ id: 'z', text: 'x' })
    await expect(again).rejects.toMatchObject({ code: 'unique_violation' })
    await db.close()
  })

  test('the others came by replication -> built, and the next such key is refused', async () => {
    const storage = memoryStorage()
    await store(storage, [{ id: 'mine', text: 'same' }])
    await replicated(storage, ['a', 'b'])
    const db = await open(storage, unique)
    expect(await db.collection('notes').find({ where: { text: 'same' } })).toHaveLength(3)
    const third = db.collection('notes').put({ id: 'c', text: 'same' })
    await expect(third).rejects.toMatchObject({ code: 'unique_violation' })
    await db.close()
  })

  test('two of one key behind many that came by replication -> unique_violation with their ids', async () => {
    const storage = memoryStorage()
    const own = [1, 2].map((n) => ({ id: `mine${n}`, text: 'same' }))
    await store(storage, own)
    await replicated(
      storage,
      Array.from({ length: 25 }, (_, i) => `a${i}`),
    )
    await expect(open(storage, unique)).rejects.toMatchObject({
      code: 'unique_violation',
      details: { ids: ['mine1', 'mine2'] },
    })
  })

  test('with a new version whose entities clash -> refused, and the code before still opens', async () => {
    const storage = memoryStorage()
    await store(storage, notes(3))
    const migrations = { 2: (old: Note): Note => ({ ...old, text: 'same' }) }
    const collections = {
      notes: defineCollection<Note>({ version: 2, migrations, indexes: unique }),
    }
    await expect(EntiDB.open({ storage, collections })).rejects.toMatchObject({
      code: 'unique_violation',
      details: { ids: ['0000', '0001', '0002'] },
    })
    const before = await open(storage, {})
    expect(await before.collection('notes').find()).toEqual(notes(3))
    await before.close()
  })
})
