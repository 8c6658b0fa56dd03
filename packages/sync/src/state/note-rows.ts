/**
 * Notes as they are stored: without what is as in an empty note, and the bytes of the states in them, unless they are
 * few, beside them in pieces. In memory a note is whole.
 */
import { entityRef } from '../entity-ref.ts'
import type { SystemRows } from './engine.ts'
import type { ReadonlyNotes } from './notes.ts'
import { joined, piecesOf } from './pieces.ts'
import {
  type ConflictNote,
  emptyNote,
  isEmptyNote,
  NOTES_COLLECTION,
  type NoteRow,
  PIECES_COLLECTION,
  type RemoteState,
  type SentOp,
} from './rows.ts'

/** Most bytes that are written again with every change of a note. */
const INLINE_BYTES_MAX = 4 * 1024

/** Where the bytes of a state are. */
interface Placed {
  /** Number of pieces; null where there are no bytes. */
  readonly pieces: number | null
  /** The bytes, where they are in no piece. */
  readonly inline?: Uint8Array
}

type InPieces<State extends { readonly bytes: Uint8Array | null }> = Omit<State, 'bytes'> & Placed

interface StoredNote
  extends Pick<NoteRow, 'id' | 'group'>,
    Partial<Pick<NoteRow, 'rejection' | 'skipThrough' | 'ancestorThrough' | 'rounds'>> {
  readonly conflict?:
    | (Omit<ConflictNote, 'remote'> & { readonly remote: InPieces<RemoteState> })
    | null
  readonly sent?: InPieces<SentOp> | null
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

/** Every note. */
export async function loadNotes(system: SystemRows): Promise<readonly NoteRow[]> {
  // System rows are read back as sync wrote them.
  const stored = (await system.all(NOTES_COLLECTION)) as readonly StoredNote[]
  const rows = (await system.all(PIECES_COLLECTION)) as readonly PieceRow[]
  const pieces = new Map(rows.map(({ id, bytes }) => [id, bytes]))
  return stored.map((note) => wholeNote(note, pieces))
}

/** Has what lies in pieces changed? */
function differBeside(bytes: Uint8Array | null, before: Uint8Array | null): boolean {
  return bytes !== before && (isBeside(bytes) || isBeside(before))
}

async function storePieces(
  system: SystemRows,
  note: string,
  owner: Owner,
  bytes: Uint8Array | null,
  before: Uint8Array | null,
): Promise<void> {
  const pieces = piecesBeside(bytes)
  for (const [index, piece] of pieces.entries()) {
    const row: PieceRow = { id: pieceId(note, owner, index), bytes: piece }
    await system.put(PIECES_COLLECTION, row)
  }
  const { length: lengthBefore } = piecesBeside(before)
  for (let index = pieces.length; index < lengthBefore; index++) {
    await system.delete(PIECES_COLLECTION, pieceId(note, owner, index))
  }
}

function isBeside(bytes: Uint8Array | null): bytes is Uint8Array {
  return bytes !== null && bytes.length > INLINE_BYTES_MAX
}

function piecesBeside(bytes: Uint8Array | null): readonly Uint8Array[] {
  return isBeside(bytes) ? piecesOf(bytes) : []
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

function inPieces<State extends { readonly bytes: Uint8Array | null }>({
  bytes,
  ...rest
}: State): InPieces<State> {
  if (bytes === null) return { ...rest, pieces: null }
  return isBeside(bytes)
    ? { ...rest, pieces: piecesOf(bytes).length }
    : { ...rest, pieces: 0, inline: bytes }
}

/**
 * What has lost its bytes, in a file that was salvaged, is not noted: of a conflict the server tells again when the
 * edit is pushed again, and bytes that were sent are an edit like any other's when they come back.
 */
function wholeNote(
  { conflict = null, sent = null, ...note }: StoredNote,
  rows: ReadonlyMap<string, Uint8Array>,
): NoteRow {
  const remote = conflict && whole(conflict.remote, note.id, 'remote', rows)
  return {
    ...emptyNote(entityRef(note.id), note.id),
    ...note,
    conflict: conflict && remote && { ...conflict, remote },
    sent: sent && whole(sent, note.id, 'sent', rows),
  }
}

function whole<Rest extends object>(
  { pieces, inline, ...rest }: Rest & Placed,
  note: string,
  owner: Owner,
  rows: ReadonlyMap<string, Uint8Array>,
): (Omit<Rest, keyof Placed> & { readonly bytes: Uint8Array | null }) | null {
  if (pieces === null) return { ...rest, bytes: null }
  if (inline !== undefined) return { ...rest, bytes: inline }
  const found: Uint8Array[] = []
  for (let index = 0; index < pieces; index++) {
    const piece = rows.get(pieceId(note, owner, index))
    if (piece === undefined) return null
    found.push(piece)
  }
  return { ...rest, bytes: joined(found) }
}
