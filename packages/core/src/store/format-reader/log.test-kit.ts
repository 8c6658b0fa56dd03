/** `docs/format.md`, "Write-ahead log". */
import { checksumOf, Fields, FormatProblem, fixedFields, isEqual } from './fields.test-kit.ts'
import { refuseNewer } from './superblock.test-kit.ts'

const FILE_MAGIC = Uint8Array.of(0x45, 0x44, 0x42, 0x57, 0x41, 0x4c, 0x0d, 0x0a)
const FRAME_MAGIC = 0x46424445
const FRAMES_OFFSET = 512
const FRAME_HEADER_BYTES = 44

export function logName(generation: number): string {
  return `wal-${String(generation).padStart(10, '0')}.entidb`
}

/** Undefined for a name that is no log's. */
export function generationOf(name: string): number | undefined {
  const digits = /^wal-([0-9]{10})\.entidb$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

export interface LogFile {
  readonly name: string
  readonly bytes: Uint8Array
}

export interface LogHeader {
  readonly generation: number
  readonly storeId: Uint8Array
  readonly salt: Uint8Array
  readonly firstLsn: number
}

/** Undefined when the file has no valid header. */
export function readLogHeader({ name, bytes }: LogFile): LogHeader | undefined {
  if (bytes.length < 64 || !isEqual(bytes.subarray(0, 8), FILE_MAGIC)) return undefined
  const { u32, u64 } = fixedFields(bytes)
  if (checksumOf(bytes.subarray(0, 60)) !== u32(60)) return undefined
  refuseNewer(u32(8), name)
  return {
    generation: u32(12),
    storeId: bytes.subarray(16, 32),
    salt: bytes.subarray(32, 40),
    firstLsn: u64(40),
  }
}

export interface FrameHeader {
  readonly payloadBytes: number
  readonly salt: Uint8Array
  readonly firstLsn: number
  readonly flushedLsn: number
  readonly commits: number
  readonly payloadChecksum: number
}

function readFrameHeader(bytes: Uint8Array, offset: number): FrameHeader | undefined {
  const header = bytes.subarray(offset, offset + FRAME_HEADER_BYTES)
  if (header.length < FRAME_HEADER_BYTES) return undefined
  const { u32, u64 } = fixedFields(header)
  if (u32(0) !== FRAME_MAGIC || checksumOf(header.subarray(0, 40)) !== u32(40)) return undefined
  return {
    payloadBytes: u32(4),
    salt: header.subarray(8, 16),
    firstLsn: u64(16),
    flushedLsn: u64(24),
    commits: u32(32),
    payloadChecksum: u32(36),
  }
}

/** Frame headers, of any generation and at any offset, from `from` on. */
export function* frameHeadersFrom(bytes: Uint8Array, from: number): Generator<FrameHeader> {
  for (let at = bytes.indexOf(0x45, from); at >= 0; at = bytes.indexOf(0x45, at + 1)) {
    const header = readFrameHeader(bytes, at)
    if (header !== undefined) yield header
  }
}

export interface Frame {
  readonly offset: number
  readonly end: number
  readonly header: FrameHeader
  readonly payload: Uint8Array
}

/** The whole frames of a log from its start on, in their order, whatever their LSNs. */
export function* framesOf({ bytes }: LogFile, salt: Uint8Array): Generator<Frame> {
  for (let offset = FRAMES_OFFSET; ; ) {
    const header = readFrameHeader(bytes, offset)
    if (header === undefined || !isEqual(header.salt, salt)) return
    const start = offset + FRAME_HEADER_BYTES
    const end = start + header.payloadBytes
    const payload = bytes.subarray(start, end)
    if (payload.length !== header.payloadBytes) return
    if (checksumOf(payload) !== header.payloadChecksum) return
    yield { offset, end, header, payload }
    offset = end
  }
}

export type Change =
  | {
      readonly kind: 'put'
      readonly table: string
      readonly key: Uint8Array
      readonly value: Uint8Array
    }
  | { readonly kind: 'delete'; readonly table: string; readonly key: Uint8Array }
  | { readonly kind: 'clear'; readonly table: string }

/** The commits of a frame, each as its changes. */
export function commitsOf({ name }: LogFile, { header, payload, offset }: Frame): Change[][] {
  const fields = new Fields(payload, name, offset + FRAME_HEADER_BYTES)
  const commits: Change[][] = []
  let changes: Change[] = []
  let tables: string[] = []
  while (!fields.isAtEnd) {
    const kind = fields.byte()
    if (kind === 1) {
      commits.push(changes)
      changes = []
      tables = []
    } else if (kind === 2) tables.push(fields.text())
    else changes.push(changeOf(kind, fields, tables))
  }
  if (commits.length !== header.commits || changes.length > 0 || tables.length > 0) {
    throw new FormatProblem('corrupt', name, offset, 'not the commits that the header counts')
  }
  return commits
}

function changeOf(kind: number, fields: Fields, tables: readonly string[]): Change {
  const table = tables[fields.varint()]
  if (table === undefined) throw fields.problem('a change names no table')
  if (kind === 5) return { kind: 'clear', table }
  if (kind === 4) return { kind: 'delete', table, key: fields.string() }
  if (kind !== 3) throw fields.problem(`unknown kind of change ${kind}`)
  const keyLength = fields.varint()
  const valueLength = fields.varint()
  const key = fields.take(keyLength)
  return { kind: 'put', table, key, value: fields.take(valueLength) }
}

/** Where the frames of an empty log would begin, and where a log's own end. */
export function endOfFrames(frames: readonly Frame[]): number {
  return frames.at(-1)?.end ?? FRAMES_OFFSET
}
