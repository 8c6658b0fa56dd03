import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineCollection, EntiDB } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { inspectDatabase } from './inspect-database.ts'
import { inspectionText } from './inspection-text.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'entidb-inspect-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

interface Person {
  readonly id: string
  readonly name: string
}

function openPeople(path: string) {
  return EntiDB.open({
    storage: fileStorage(path),
    collections: { people: defineCollection<Person>({ indexes: { byName: ['name'] } }) },
    changeFeed: true,
  })
}

describe('inspect', () => {
  test('database: entities, an index and a feed -> counted, and left as they are', async () => {
    const db = await openPeople(directory)
    await db.collection('people').put({ id: 'a', name: 'Ada' })
    await db.collection('people').put({ id: 'b', name: 'Bob' })
    await db.collection('people').delete('a')
    await db.close()
    const inspection = await inspectDatabase(directory)
    expect(inspection.collections).toEqual([
      { name: 'people', entities: 1, indexes: [{ name: 'byName', entries: 1 }] },
    ])
    expect(inspection.feed).toEqual({ on: true, operations: 3, head: 3 })
    expect(inspection.identity.databaseId).not.toBe('')
    expect(inspection.tables.map(({ name, entries }) => [name, entries])).toEqual([
      ['c:people', 1],
      ['feed', 3],
      ['i:people:byName', 1],
      ['meta', 4],
      ['r:people', 1],
    ])
    expect(inspection.layout.superblock).toMatchObject({ sealed: true })
    expect(inspection.layout.dataBytes).toBeGreaterThan(inspection.layout.freeBytes)
    const text = inspectionText(inspection)
    for (const part of ['people', 'i:people:byName', 'sealed', 'free', 'log']) {
      expect(text).toContain(part)
    }
    const again = await openPeople(directory)
    expect(await again.collection('people').find({ where: { name: 'Bob' } })).toHaveLength(1)
    await again.close()
  })

  test('database: in use -> database_locked', async () => {
    const db = await openPeople(directory)
    await expect(inspectDatabase(directory)).rejects.toMatchObject({ code: 'database_locked' })
    await db.close()
  })

  test('directory: empty or absent -> not_a_database, and nothing is created', async () => {
    const absent = join(directory, 'absent')
    for (const path of [directory, absent]) {
      await expect(inspectDatabase(path)).rejects.toMatchObject({ code: 'not_a_database' })
    }
    expect(readdirSync(directory)).toEqual([])
  })

  test('directory: holds databases in folders -> not_a_database that names them', async () => {
    const inner = join(directory, 'shop')
    mkdirSync(inner)
    await (await openPeople(inner)).close()
    await expect(inspectDatabase(directory)).rejects.toThrow(inner)
  })
})
