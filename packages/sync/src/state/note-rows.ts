/**
 * Notes as they are stored: without what is as in an empty note, and the bytes of the states in them, unless they are
 * few, beside them in pieces. Pieces are read when they are needed: conflicts may be many and their entities large.
 */
import { assertInvariant } from '@entidb/core'
import { entityRef } from '../entity-ref.ts'
import type { SystemRows } from './engine.ts'
import type { ReadonlyNotes } from './notes.ts'
import { joined, piecesOf } from './pieces.ts'
import {
  type ConflictNote,
  emptyNote,
  isEmptyNote,
  NOTES_COLLECTION,
  type NotedSentOp,
  type NotedState,
  type NoteRow,
  PIECES_COLLECTION,
  type StoredPieces,
} from './rows.ts'

/** Most bytes that are written again with every change of a note, and stay in memory with it. */
const INLINE_BYTES_MAX = 4 * 1024
/** Pieces are half a mebibyte. */
const PIECES_PER_LOOK = 16

type NotedBytes = NotedState['bytes']

/** Where the bytes of a state are. */
interface Placed {
  /** Number of pieces; null where there are no bytes. */
  readonly pieces: number | null
  /** The bytes, where they are in no piece. */
  readonly inline?: Uint8Array
}

type InPieces<State extends { readonly bytes: NotedBytes }> = Omit<State, 'bytes'> & Placed

interface StoredNote
  extends Pick<NoteRow, 'id' | 'group'>,
    Partial<Pick<NoteRow, 'rejection' | 'skipThrough' | 'ancestorThrough' | 'rounds'>> {
  readonly conflict?:
    | (Omit<ConflictNote, 'remote'> & { readonly remote: InPieces<NotedState> })
    | null
  readonly sent?: InPieces<NotedSentOp> | null
}

interface PieceRow {
  /** `pieceId`. */
  readonly id: string
  readonly bytes: Uint8Array
}

/** Whose bytes they are: of a conflict's remote side, of an operation that was sent. */
type Owner = 'remote' | 'sent'

/** Writes `notes`, as far as they are not what is `stored`; notes that are empty are removed. */
export async function storeNotes(
  system: SystemRows,
  notes: Iterable<NoteRow>,
  stored: Pick<ReadonlyNotes, 'get'>,
): Promise<void> {
  const rows: StoredNote[] = []
  const removed: string[] = []
  for (const note of notes) {
    const before = stored.get(note.id)
    const { id, conflict, sent } = note
    const remote = [conflict?.remote.bytes ?? null, before?.conflict?.remote.bytes ?? null] as const
    const sending = [sent?.bytes ?? null, before?.sent?.bytes ?? null] as const
    if (differBeside(...remote)) await storePieces(system, id, 'remote', ...remote)
    if (differBeside(...sending)) await storePieces(system, id, 'sent', ...sending)
    if (!isEmptyNote(note)) rows.push(storedNote(note))
    else if (before !== undefined) removed.push(id)
  }
  if (rows.length > 0) await system.putAll(NOTES_COLLECTION, rows)
  if (removed.length > 0) await system.deleteAll(NOTES_COLLECTION, removed)
}

/** Every note, without what lies in pieces. */
export async function loadNotes(system: SystemRows): Promise<readonly NoteRow[]> {
  // System rows are read back as sync wrote them.
  const stored = (await system.all(NOTES_COLLECTION)) as readonly StoredNote[]
  const present = await presentPieces(system)
  return stored.map((note) => noteOf(note, present))
}

/** A note whose row is stored, as it stays in memory. */
export function withoutPieces(note: NoteRow): NoteRow {
  const { conflict, sent } = note
  if (!isBeside(conflict?.remote.bytes ?? null) && !isBeside(sent?.bytes ?? null)) return note
  return {
    ...note,
    conflict: conflict && { ...conflict, remote: leftBeside(conflict.remote) },
    sent: sent && leftBeside(sent),
  }
}

/** The bytes of a state in a note that is stored. */
export async function bytesOf(
  system: SystemRows,
  note: string,
  owner: Owner,
  bytes: NotedBytes,
): Promise<Uint8Array | null> {
  if (bytes === null || bytes instanceof Uint8Array) return bytes
  const pieces: Uint8Array[] = []
  for (let index = 0; index < bytes.pieces; index++) {
    const piece = (await system.get(PIECES_COLLECTION, pieceId(note, owner, index))) as
      | PieceRow
      | undefined
    assertInvariant(piece !== undefined, `a piece of the note of ${note} is missing`)
    pieces.push(piece.bytes)
  }
  return joined(pieces)
}

async function presentPieces(system: SystemRows): Promise<ReadonlySet<string>> {
  const present = new Set<string>()
  for (let after: string | undefined; ; ) {
    const range = { limit: PIECES_PER_LOOK, ...(after === undefined ? {} : { after }) }
    const rows = (await system.page(PIECES_COLLECTION, range)) as readonly PieceRow[]
    for (const { id } of rows) present.add(id)
    after = rows.at(-1)?.id
    if (after === undefined) return present
  }
}

/** Has what lies in pieces changed? What was left there has not. */
function differBeside(bytes: NotedBytes, before: NotedBytes): boolean {
  const isLeft = bytes !== null && !(bytes instanceof Uint8Array)
  return !isLeft && bytes !== before && (isBeside(bytes) || isBeside(before))
}

async function storePieces(
  system: SystemRows,
  note: string,
  owner: Owner,
  bytes: NotedBytes,
  before: NotedBytes,
): Promise<void> {
  const pieces = bytes instanceof Uint8Array && isBeside(bytes) ? piecesOf(bytes) : []
  for (const [index, piece] of pieces.entries()) {
    const row: PieceRow = { id: pieceId(note, owner, index), bytes: piece }
    await system.put(PIECES_COLLECTION, row)
  }
  for (let index = pieces.length; index < countBeside(before); index++) {
    await system.delete(PIECES_COLLECTION, pieceId(note, owner, index))
  }
}

function isBeside(bytes: NotedBytes): bytes is Uint8Array | StoredPieces {
  return bytes instanceof Uint8Array ? bytes.length > INLINE_BYTES_MAX : bytes !== null
}

/** Number of the pieces; 0 where there are none. */
function countBeside(bytes: NotedBytes): number {
  if (!isBeside(bytes)) return 0
  return bytes instanceof Uint8Array ? piecesOf(bytes).length : bytes.pieces
}

function leftBeside<State extends { readonly bytes: NotedBytes }>(
  state: State,
): Omit<State, 'bytes'> & { readonly bytes: NotedBytes } {
  const { bytes, ...rest } = state
  return { ...rest, bytes: isBeside(bytes) ? { pieces: countBeside(bytes) } : bytes }
}

function pieceId(note: string, owner: Owner, index: number): string {
  return `${owner}:${index}:${note}`
}

function storedNote(note: NoteRow): StoredNote {
  const { id, group, conflict, rejection, skipThrough, ancestorThrough, rounds, sent } = note
  return {
    ...{ id, group },
    ...(conflict && { conflict: { ...conflict, remote: inPieces(conflict.remote) } }),
    ...(rejection && { rejection }),
    ...(skipThrough !== 0 && { skipThrough }),
    ...(ancestorThrough !== 0 && { ancestorThrough }),
    ...(rounds !== 0 && { rounds }),
    ...(sent && { sent: inPieces(sent) }),
  }
}

function inPieces<State extends { readonly bytes: NotedBytes }>({
  bytes,
  ...rest
}: State): InPieces<State> {
  if (bytes === null) return { ...rest, pieces: null }
  const pieces = countBeside(bytes)
  return bytes instanceof Uint8Array && pieces === 0
    ? { ...rest, pieces, inline: bytes }
    : { ...rest, pieces }
}

/**
 * What has lost its bytes, in a file that was salvaged, is not noted: of a conflict the server tells again when the
 * edit is pushed again, and bytes that were sent are an edit like any other's when they come back.
 */
function noteOf(
  { conflict = null, sent = null, ...note }: StoredNote,
  present: ReadonlySet<string>,
): NoteRow {
  const remote = conflict && stateOf(conflict.remote, note.id, 'remote', present)
  return {
    ...emptyNote(entityRef(note.id), note.id),
    ...note,
    conflict: conflict && remote && { ...conflict, remote },
    sent: sent && stateOf(sent, note.id, 'sent', present),
  }
}

function stateOf<Rest extends object>(
  { pieces, inline, ...rest }: Rest & Placed,
  note: string,
  owner: Owner,
  present: ReadonlySet<string>,
): (Omit<Rest, keyof Placed> & { readonly bytes: NotedBytes }) | null {
  if (pieces === null) return { ...rest, bytes: null }
  if (inline !== undefined) return { ...rest, bytes: inline }
  for (let index = 0; index < pieces; index++) {
    if (!present.has(pieceId(note, owner, index))) return null
  }
  return { ...rest, bytes: { pieces } }
}
