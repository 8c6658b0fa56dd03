/**
 * Notes as they are stored: without the bytes of the states in them, which lie beside them in pieces. In memory
 * a note has them whole.
 */
import type { SystemRows } from './engine.ts'
import { joined, piecesOf } from './pieces.ts'
import {
  type ConflictNote,
  isEmptyNote,
  NOTES_COLLECTION,
  type NoteRow,
  PIECES_COLLECTION,
  type RemoteState,
  type SentOp,
} from './rows.ts'

type InPieces<State extends { readonly bytes: Uint8Array | null }> = Omit<State, 'bytes'> & {
  /** How many; null where there are no bytes. */
  readonly pieces: number | null
}

interface StoredNote extends Omit<NoteRow, 'conflict' | 'sent'> {
  readonly conflict:
    | (Omit<ConflictNote, 'remote'> & { readonly remote: InPieces<RemoteState> })
    | null
  readonly sent: InPieces<SentOp> | null
}

interface PieceRow {
  /** `pieceId`. */
  readonly id: string
  readonly bytes: Uint8Array
}

/** Whose bytes they are: of a conflict's remote side, of an operation that was sent. */
type Owner = 'remote' | 'sent'

/** Writes what changed since `before`; a note that is empty is removed. */
export async function storeNote(
  system: SystemRows,
  note: NoteRow,
  before: NoteRow | undefined,
): Promise<void> {
  const { id, conflict, sent } = note
  await storeBytes(system, id, 'remote', conflict?.remote.bytes, before?.conflict?.remote.bytes)
  await storeBytes(system, id, 'sent', sent?.bytes, before?.sent?.bytes)
  if (!isEmptyNote(note)) await system.put(NOTES_COLLECTION, storedNote(note))
  else if (before !== undefined) await system.delete(NOTES_COLLECTION, id)
}

/** Every note, by id. */
export async function loadNotes(system: SystemRows): Promise<Map<string, NoteRow>> {
  // System rows are read back as sync wrote them.
  const stored = (await system.all(NOTES_COLLECTION)) as readonly StoredNote[]
  const rows = (await system.all(PIECES_COLLECTION)) as readonly PieceRow[]
  const pieces = new Map(rows.map(({ id, bytes }) => [id, bytes]))
  return new Map(stored.map((note) => [note.id, wholeNote(note, pieces)]))
}

async function storeBytes(
  system: SystemRows,
  note: string,
  owner: Owner,
  bytes: Uint8Array | null = null,
  before: Uint8Array | null = null,
): Promise<void> {
  if (bytes === before) return
  const pieces = bytes === null ? [] : piecesOf(bytes)
  for (const [index, piece] of pieces.entries()) {
    const row: PieceRow = { id: pieceId(note, owner, index), bytes: piece }
    await system.put(PIECES_COLLECTION, row)
  }
  const piecesBefore = before === null ? 0 : piecesOf(before).length
  for (let index = pieces.length; index < piecesBefore; index++) {
    await system.delete(PIECES_COLLECTION, pieceId(note, owner, index))
  }
}

function pieceId(note: string, owner: Owner, index: number): string {
  return `${owner}:${index}:${note}`
}

function storedNote({ conflict, sent, ...note }: NoteRow): StoredNote {
  return {
    ...note,
    conflict: conflict && { ...conflict, remote: inPieces(conflict.remote) },
    sent: sent && inPieces(sent),
  }
}

function inPieces<State extends { readonly bytes: Uint8Array | null }>({
  bytes,
  ...rest
}: State): InPieces<State> {
  return { ...rest, pieces: bytes && piecesOf(bytes).length }
}

/**
 * What has lost its bytes, in a file that was salvaged, is not noted: of a conflict the server tells again when the
 * edit is pushed again, and bytes that were sent are an edit like any other's when they come back.
 */
function wholeNote(
  { conflict, sent, ...note }: StoredNote,
  rows: ReadonlyMap<string, Uint8Array>,
): NoteRow {
  const remote = conflict && whole(conflict.remote, note.id, 'remote', rows)
  return {
    ...note,
    conflict: conflict && remote && { ...conflict, remote },
    sent: sent && whole(sent, note.id, 'sent', rows),
  }
}

function whole<Rest extends object>(
  { pieces, ...rest }: Rest & { readonly pieces: number | null },
  note: string,
  owner: Owner,
  rows: ReadonlyMap<string, Uint8Array>,
): (Omit<Rest, 'pieces'> & { readonly bytes: Uint8Array | null }) | null {
  if (pieces === null) return { ...rest, bytes: null }
  const found: Uint8Array[] = []
  for (let index = 0; index < pieces; index++) {
    const piece = rows.get(pieceId(note, owner, index))
    if (piece === undefined) return null
    found.push(piece)
  }
  return { ...rest, bytes: joined(found) }
}
