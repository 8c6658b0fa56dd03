/** Import and export from a program, as `docs/data-formats.md` shows it. */
import { createWriteStream, readFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import { defineCollection, EntiDB, memoryStorage, type StandardSchema } from '@entidb/core'
import { expect, test } from 'vitest'
import { exportCollection, importCollection, importSource, readNdjson } from '../data.ts'
import { temporaryPaths } from '../maintenance/database-directory.test-kit.ts'

const path = temporaryPaths()

interface Note {
  readonly id: string
  readonly text: string
}

/** Texts of a letter at least. */
const schema: StandardSchema<unknown, Note> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      (value as Note).text === '' ? { issues: [{ message: 'empty' }] } : { value: value as Note },
  },
}

test('application: exports from a snapshot, imports through its own schema', async () => {
  const storage = memoryStorage()
  const db = await EntiDB.open({
    storage,
    collections: { notes: defineCollection<Note>({ schema }) },
  })
  await db.collection('notes').put({ id: 'a', text: 'x' })
  const sink = Writable.toWeb(createWriteStream(path('notes.ndjson')))
  const snapshot = db.snapshot()
  const options = { format: 'ndjson', query: {}, delimiter: ',' } as const
  const exported = await exportCollection(snapshot.collection('notes'), sink, options)
  snapshot.release()
  expect(exported).toEqual({ entities: 1, bytes: 22, schemaVersions: { 1: 1 } })
  expect(readFileSync(path('notes.ndjson'), 'utf8')).toBe('{"id":"a","text":"x"}\n')

  await db.collection('notes').delete('a')
  const how = { format: 'ndjson', read: readNdjson, onConflict: 'fail', batchRecords: 100 } as const
  const source = importSource(path('notes.ndjson'))
  const imported = await importCollection(db, 'notes', source, how)
  expect(imported.outcomes).toMatchObject({ inserted: 1 })
  expect(await db.collection('notes').get('a')).toEqual({ id: 'a', text: 'x' })

  const bad = { path: 'memory', bytes: undefined, chunks: () => chunks('{"id":"b","text":""}\n') }
  await expect(importCollection(db, 'notes', bad, how)).rejects.toMatchObject({
    code: 'schema_violation',
    details: { line: 1, file: 'memory' },
  })
  await db.close()
})

async function* chunks(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
