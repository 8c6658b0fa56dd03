/** Real directories with a real database, for the tests of commands. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineCollection, EntiDB } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { afterEach, beforeEach } from 'vitest'

export interface Note {
  readonly id: string
  readonly kind: number
  readonly text: string
}

const collections = { notes: defineCollection<Note>({ indexes: { byKind: ['kind'] } }) }

export function openNotes(path: string): Promise<EntiDB<typeof collections>> {
  return EntiDB.open({ storage: fileStorage(path), collections, changeFeed: true })
}

/** Closed again. */
export async function makeNotes(path: string, count: number): Promise<void> {
  const db = await openNotes(path)
  await db.transaction(async (tx) => {
    for (let i = 0; i < count; i++) await tx.collection('notes').put(noteOf(i))
  })
  await db.close()
}

export const noteOf = (i: number): Note => ({
  id: `n${i}`,
  kind: i % 7,
  text: `note ${i} `.repeat(20),
})

export async function readNotes(path: string): Promise<readonly Note[]> {
  const db = await openNotes(path)
  try {
    return await db.collection('notes').find()
  } finally {
    await db.close()
  }
}

/** Names and bytes of the files, to see that nothing has changed. */
export function filesOf(path: string): ReadonlyMap<string, string> {
  const names = readdirSync(path).filter((name) => statSync(join(path, name)).isFile())
  return new Map(names.sort().map((name) => [name, readFileSync(join(path, name), 'base64')]))
}

/** A temporary directory for each test; the answer makes paths in it. */
export function temporaryPaths(): (name: string) => string {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'entidb-tools-'))
  })
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  return (name) => join(directory, name)
}
