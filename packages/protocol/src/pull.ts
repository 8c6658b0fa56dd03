/** `POST /v1/pull`: the operations after a cursor, page by page. */
import { arrayOf } from './array-codecs.ts'
import { type Codec, checked, decodeMessage, encodeMessage } from './codec.ts'
import { epochBytes, replicaIdBytes } from './handshake.ts'
import type { Problem } from './invalid-message.ts'
import {
  bool,
  clientDeviceIdText,
  collectionText,
  dbIdText,
  encoded,
  snapshotPositionText,
  uint,
} from './item-codecs.ts'
import type { MessageReader } from './message-reader.ts'
import type {
  PullRequest,
  PullResponse,
  SnapshotPlace,
  SnapshotRequest,
  SyncOperation,
} from './messages.ts'
import { packOperations } from './packed/pack-operations.ts'
import { type EntityState, packStates } from './packed/pack-states.ts'
import {
  PACKED_FORM,
  PACKED_OPS_MAX,
  type PackedOperations,
  packedOperations,
} from './packed/packed-operations.ts'
import { unpackOperations } from './packed/unpack-operations.ts'
import { type Fields, optional, record, required } from './record-codec.ts'
import { syncOperation } from './sync-operation.ts'

/** A page whose operations are encoded already, as `encodeSyncOperation` does it. */
export interface PullPage extends Omit<PullResponse, 'ops'> {
  readonly ops: readonly Uint8Array[]
}

/** A page of a snapshot, of states that are stored encoded. */
export interface SnapshotPage extends Omit<PullResponse, 'ops'> {
  readonly dbId: string
  /** By revision. */
  readonly states: readonly EntityState[]
  readonly snapshot: SnapshotPlace
}

const pullRequest = record<PullRequest>({
  dbId: required(dbIdText),
  sinceCursor: required(uint()),
  limit: optional(uint(1)),
  deviceId: optional(clientDeviceIdText),
  replicaId: optional(replicaIdBytes),
  epoch: optional(epochBytes),
  collections: optional(arrayOf(collectionText)),
  packed: optional(uint(1)),
  snapshot: optional(
    record<SnapshotRequest>({
      through: optional(uint()),
      after: optional(snapshotPositionText),
    }),
  ),
})

const pageFields = {
  nextCursor: required(uint()),
  hasMore: required(bool),
  head: optional(uint()),
  purgedThrough: optional(uint()),
  snapshot: optional(
    record<SnapshotPlace>({ through: required(uint()), after: optional(snapshotPositionText) }),
  ),
} satisfies Partial<Fields<PullResponse>>

/** What an answer may hold: operations in one of two forms. */
interface PullBody extends Omit<PullResponse, 'ops'> {
  readonly ops?: readonly SyncOperation[]
  readonly packed?: PackedOperations
}

const pullBody = record<PullBody>({
  ...pageFields,
  ops: optional(arrayOf(syncOperation)),
  packed: optional(packedOperations),
})

const pullResponse: Codec<PullResponse> = checked(
  { write: pullBody.write, read: readEitherForm },
  problemOfPage,
)

const pullPage = record<PullPage>({ ...pageFields, ops: required(arrayOf(encoded)) })

const packedPage = record<Omit<PullPage, 'ops'> & { readonly packed: PackedOperations }>({
  ...pageFields,
  packed: required(packedOperations),
})

/** The body of a pull. */
export function encodePullRequest(message: PullRequest): Uint8Array {
  return encodeMessage(pullRequest, message)
}

/** Malformed: `invalid_request`. */
export function decodePullRequest(bytes: Uint8Array): PullRequest {
  return decodeMessage(pullRequest, bytes, 'invalid_request')
}

/** Whether the answer may be packed: the client reads the form that this package writes, or a later one. */
export function readsPacked({ packed = 0 }: PullRequest): boolean {
  return packed >= PACKED_FORM
}

/** The body of the answer to a pull. */
export function encodePullResponse(message: PullResponse): Uint8Array {
  return encodeMessage(pullResponse, message)
}

/** The same bytes as `encodePullResponse` gives, from operations that are stored encoded. */
export function encodePullPage(page: PullPage): Uint8Array {
  return encodeMessage(pullPage, page)
}

/**
 * The same page packed, for a client that asked for it; plain where packing gains nothing (no operations) or
 * is not allowed (more than 100,000). Operations out of order are a `TypeError`.
 */
export function encodePackedPullPage(page: PullPage): Uint8Array {
  const { ops, ...rest } = page
  if (ops.length === 0 || ops.length > PACKED_OPS_MAX) return encodePullPage(page)
  return encodeMessage(packedPage, { ...rest, packed: packOperations(ops) })
}

/** Packed, for a client that asked for it; plain where there are no operations. Most are 100,000: `TypeError`. */
export function encodeSnapshotPage({ dbId, states, ...rest }: SnapshotPage): Uint8Array {
  if (states.length > PACKED_OPS_MAX) throw new TypeError('Too many operations for a page')
  if (states.length === 0) return encodePullPage({ ...rest, ops: [] })
  return encodeMessage(packedPage, { ...rest, packed: packStates(dbId, states) })
}

/**
 * Takes both forms, plain and packed. `entityCbor` of every operation is a view: of `bytes`, or of one buffer that the
 * operations of a packed page share. Malformed, not in cursor order or, but in a snapshot, reaching
 * beyond `nextCursor`: `invalid_response`.
 */
export function decodePullResponse(bytes: Uint8Array): PullResponse {
  return decodeMessage(pullResponse, bytes, 'invalid_response')
}

function readEitherForm(reader: MessageReader): PullResponse {
  const start = reader.position
  const body = pullBody.read(reader)
  const { ops, packed, ...page } = body
  if (packed === undefined) {
    return { ...body, ops: ops ?? reader.fail('missing_field', start, ['ops']) }
  }
  if (ops !== undefined) reader.fail('unexpected_field', start, ['packed'])
  reader.enter('packed')
  const unpacked = unpackOperations(packed, reader)
  reader.leave()
  return { ...page, ops: unpacked }
}

function problemOfPage({ ops, nextCursor, snapshot }: PullResponse): Problem | undefined {
  let previous = 0
  for (let i = 0; i < ops.length; i++) {
    const revision = ops[i]?.entityVersion ?? 0
    if (revision <= previous) {
      return { path: ['ops', i, 'entityVersion'], reason: 'not_increasing' }
    }
    previous = revision
  }
  if (snapshot !== undefined) return undefined
  return previous > nextCursor ? { path: ['nextCursor'], reason: 'out_of_range' } : undefined
}
