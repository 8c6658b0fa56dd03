import { describe, expect, test } from 'vitest'
import { sameBytes } from '../same-bytes.ts'
import type { SystemRows } from './engine.ts'
import { bytesOf, loadNotes, storeNotes, withoutPieces } from './note-rows.ts'
import { Notes } from './notes.ts'
import { emptyNote, NOTES_COLLECTION, type NoteRow, PIECES_COLLECTION } from './rows.ts'

interface Row {
  readonly id: string
}

/** System collections in memory, of what is used here. */
function memoryRows() {
  const collections = new Map<string, Map<string, Row>>()
  const of = (name: string): Map<string, Row> => {
    const rows = collections.get(name) ?? new Map<string, Row>()
    collections.set(name, rows)
    return rows
  }
  const unused = (): never => {
    throw new Error('not used')
  }
  const system: SystemRows = {
    ofGroup: unused,
    get: async (name, id) => of(name).get(id),
    page: async (name, { after = '', limit }) => {
      const ids = [...of(name).keys()].filter((id) => id > after).sort()
      return ids.slice(0, limit).map((id) => of(name).get(id))
    },
    put: async (name, row) => void of(name).set(row.id, row),
    putAll: async (name, rows) => {
      for (const row of rows) of(name).set(row.id, row)
    },
    delete: async (name, id) => void of(name).delete(id),
    deleteAll: async (name, ids) => {
      for (const id of ids) of(name).delete(id)
    },
    all: async (name) => [...of(name).values()],
  }
  return { system, of }
}

const ID = 'notes/n'
const note = (change: Partial<NoteRow>): NoteRow => ({
  ...emptyNote({ collection: 'notes', entityId: 'n' }, ID),
  ...change,
})

function inConflict(bytes: Uint8Array | null): NoteRow {
  const remote = { version: 7, bytes, schemaVersion: 1 }
  const sent = { accepted: false, deviceId: 'd', opId: 3, localOpId: 2, bytes }
  return note({ group: 1, conflict: { remote, sinceMs: 5, stale: false, deferred: null }, sent })
}

const filled = (length: number): Uint8Array => new Uint8Array(length).fill(length % 251)

describe('stored notes', () => {
  test('any bytes, one after the other: -> come back, and no piece is left over', async () => {
    const { system, of } = memoryRows()
    let before = new Notes()
    for (const length of [10, 4096, 4097, 1_200_000, 600_000, 5, 1_000_000, 0]) {
      const stored = inConflict(filled(length))
      await storeNotes(system, [stored], before)
      const [loaded, ...others] = await loadNotes(system)
      expect(others).toEqual([])
      const pieces = length > 4096 ? Math.ceil(length / (512 * 1024)) : 0
      expect(of(PIECES_COLLECTION).size).toBe(2 * pieces)
      if (pieces > 0) expect(loaded?.conflict?.remote.bytes).toEqual({ pieces })
      for (const each of [loaded, withoutPieces(stored)]) {
        const remote = await bytesOf(system, ID, 'remote', each?.conflict?.remote.bytes ?? null)
        const sent = await bytesOf(system, ID, 'sent', each?.sent?.bytes ?? null)
        // Slow to compare one by one.
        expect(sameBytes(remote, filled(length)) && sameBytes(sent, filled(length))).toBe(true)
      }
      before = new Notes([withoutPieces(stored)])
    }
    const deleted = inConflict(null)
    await storeNotes(system, [deleted], before)
    expect(await loadNotes(system)).toEqual([deleted])
    await storeNotes(system, [note({})], new Notes([deleted]))
    expect(await loadNotes(system)).toEqual([])
  })

  test('another field changes: -> what lies in pieces stays there', async () => {
    const { system, of } = memoryRows()
    await storeNotes(system, [inConflict(filled(600_000))], new Notes())
    const [loaded] = await loadNotes(system)
    const pieces = new Map(of(PIECES_COLLECTION))
    const changed = { ...(loaded as NoteRow), rounds: 3 }
    await storeNotes(system, [changed], new Notes([loaded as NoteRow]))
    expect(await loadNotes(system)).toEqual([changed])
    expect([...of(PIECES_COLLECTION)]).toEqual([...pieces])
    await storeNotes(system, [note({ group: 1 })], new Notes([changed]))
    expect(of(PIECES_COLLECTION).size).toBe(0)
  })

  test('every field -> comes back, and what is empty is not stored', async () => {
    const { system, of } = memoryRows()
    const rejection = { code: 'c', message: 'm', sinceMs: 1, unknown: true }
    for (const change of [
      { group: 3 },
      { rejection },
      { skipThrough: 4 },
      { ancestorThrough: -1 },
      { rounds: 2 },
    ]) {
      const stored = note(change)
      await storeNotes(system, [stored], new Notes())
      expect(await loadNotes(system)).toEqual([stored])
      expect(of(NOTES_COLLECTION).get(ID)).toEqual({ id: ID, group: null, ...change })
    }
  })

  test('as stored before small states were part of them: -> read', async () => {
    const { system } = memoryRows()
    const whole = inConflict(filled(10))
    const { conflict, sent, ...rest } = whole
    const inPieces = <S extends { readonly bytes: unknown }>({ bytes: _, ...state }: S) => ({
      ...state,
      pieces: 1,
    })
    const row = {
      ...rest,
      conflict: conflict && { ...conflict, remote: inPieces(conflict.remote) },
      sent: sent && inPieces(sent),
    }
    await system.put(NOTES_COLLECTION, row)
    for (const owner of ['remote', 'sent']) {
      const piece = { id: `${owner}:0:${ID}`, bytes: filled(10) }
      await system.put(PIECES_COLLECTION, piece)
    }
    const [loaded] = await loadNotes(system)
    for (const [owner, bytes] of [
      ['remote', loaded?.conflict?.remote.bytes],
      ['sent', loaded?.sent?.bytes],
    ] as const) {
      expect(await bytesOf(system, ID, owner, bytes ?? null)).toEqual(filled(10))
    }
  })
})
