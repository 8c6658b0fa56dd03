/**
 * An encoded operation of one kind is a template with holes: between the fields in which such operations differ,
 * all of them have the same bytes. Comparing these is quicker than decoding the operation.
 */
import { CborReader, CborWriter } from '@entidb/core/cbor'
import type { OperationKind } from './packed-operations.ts'

/** The fields in which operations of one kind differ. */
export interface OperationContent {
  readonly opId: number
  readonly revision: number
  /** As it is encoded. */
  readonly entityId: Uint8Array
  /** Null for a DELETE. */
  readonly entity: Uint8Array | null
  readonly tx: number | undefined
  readonly timestampMs: number | undefined
}

const FIELDS_OF_ALL = 8

export class KindTemplate {
  readonly #kind: OperationKind
  readonly #beforeTx: Uint8Array
  readonly #beforeOpId: Uint8Array
  readonly #beforeEntityId: Uint8Array
  readonly #beforeEntity: Uint8Array
  readonly #beforeTimestamp: Uint8Array
  readonly #beforeRevision: Uint8Array
  readonly #afterRevision: Uint8Array

  constructor(kind: OperationKind) {
    const { dbId, deviceId, collection, opType, schemaVersion } = kind
    this.#kind = kind
    this.#beforeTx = encoded((writer) => {
      writer.writeMapHeader(FIELDS_OF_ALL + optionalFieldsOf(kind))
      if (kind.hasTx === true) writer.writeText('tx')
    })
    this.#beforeOpId = encodedTexts('dbId', dbId, 'opId')
    this.#beforeEntityId = encodedTexts('opType', opType, 'deviceId', deviceId, 'entityId')
    this.#beforeEntity = encodedTexts('collection', collection, 'entityCbor')
    this.#beforeTimestamp =
      kind.hasTimestampMs === true ? encodedTexts('timestampMs') : encodedTexts()
    this.#beforeRevision = encodedTexts('entityVersion')
    this.#afterRevision = encoded((writer) => {
      if (schemaVersion === undefined) return
      writer.writeText('schemaVersion')
      writer.writeUint(schemaVersion)
    })
  }

  /** Undefined for an operation of another kind, or of keys in another order than `encodeSyncOperation` writes. */
  contentOf(operation: Uint8Array): OperationContent | undefined {
    const reader = new CborReader(operation)
    if (!reader.passIf(this.#beforeTx)) return undefined
    const tx = this.#kind.hasTx === true ? reader.readUint() : undefined
    if (!reader.passIf(this.#beforeOpId)) return undefined
    const opId = reader.readUint()
    if (!reader.passIf(this.#beforeEntityId)) return undefined
    const entityId = reader.readRaw(0)
    if (!reader.passIf(this.#beforeEntity)) return undefined
    const entity = this.#kind.opType === 'PUT' ? reader.readBytes() : readNull(reader)
    if (!reader.passIf(this.#beforeTimestamp)) return undefined
    const timestampMs = this.#kind.hasTimestampMs === true ? reader.readInt() : undefined
    if (!reader.passIf(this.#beforeRevision)) return undefined
    const revision = reader.readUint()
    if (!reader.passIf(this.#afterRevision) || !reader.atEnd) return undefined
    return { opId, revision, entityId, entity, tx, timestampMs }
  }
}

function optionalFieldsOf({ hasTx, hasTimestampMs, schemaVersion }: OperationKind): number {
  return (
    Number(hasTx === true) + Number(hasTimestampMs === true) + Number(schemaVersion !== undefined)
  )
}

function readNull(reader: CborReader): null {
  reader.readNull()
  return null
}

function encodedTexts(...texts: readonly string[]): Uint8Array {
  return encoded((writer) => {
    for (const text of texts) writer.writeText(text)
  })
}

const writer = new CborWriter()

function encoded(write: (writer: CborWriter) => void): Uint8Array {
  writer.reset()
  write(writer)
  return writer.take()
}
