// Writes vectors/*.json from the definitions in scripts/vectors, with the built package:
//
//   node scripts/make-vectors.mjs           writes them
//   node scripts/make-vectors.mjs --check   fails if they would change
//
// Bytes come from diagnostic notation, not from the product's encoders: those are tested against them.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import {
  decodeErrorResponse,
  decodeHandshakeRequest,
  decodeHandshakeResponse,
  decodePullRequest,
  decodePullResponse,
  decodePushRequest,
  decodePushResponse,
  decodeSyncOperation,
  decodeVerifyRequest,
  decodeVerifyResponse,
  encodeContentForHash,
  encodeDigestInput,
} from '../dist/index.js'
import { assemble, hex } from './assemble-diagnostic.mjs'
import { contents, liveEntities, sums } from './vectors/hashes.mjs'
import { invalid } from './vectors/invalid.mjs'
import { valid } from './vectors/valid.mjs'

const decoders = {
  ErrorResponse: decodeErrorResponse,
  HandshakeRequest: decodeHandshakeRequest,
  HandshakeResponse: decodeHandshakeResponse,
  PackedPullResponse: decodePullResponse,
  PullRequest: decodePullRequest,
  PullResponse: decodePullResponse,
  PushRequest: decodePushRequest,
  PushResponse: decodePushResponse,
  SyncOperation: decodeSyncOperation,
  VerifyRequest: decodeVerifyRequest,
  VerifyResponse: decodeVerifyResponse,
}
const folder = new URL('../vectors/', import.meta.url)
const messages = [...new Set([...valid, ...invalid].map(([message]) => message))]

const files = new Map(messages.map((message) => [fileNameOf(message), vectorsOf(message)]))
files.set('content-hash.json', contents.map(contentVector))
files.set('digest.json', [digestVector(), ...sums.map(sumVector)])

mkdirSync(folder, { recursive: true })
for (const [name, vectors] of files) {
  const path = new URL(name, folder)
  const text = `${JSON.stringify(vectors, null, 2)}\n`
  if (!process.argv.includes('--check')) writeFileSync(path, text)
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    console.error(`vectors/${name} is not what its definitions give`)
    process.exitCode = 1
  }
}

function vectorsOf(message) {
  return [
    ...valid.filter(([of]) => of === message).map(validVector),
    ...invalid.filter(([of]) => of === message).map(invalidVector),
  ]
}

function validVector([message, name, diagnostic, options = {}]) {
  const bytes = assemble(diagnostic)
  const value = asJson(decoders[message](bytes))
  return {
    name,
    message,
    canonical: options.canonical ?? true,
    cbor: hex(bytes),
    diagnostic,
    value,
  }
}

function invalidVector([message, name, source, path, reason, options = {}]) {
  const cbor = typeof source === 'string' ? hex(assemble(source)) : source.hex
  const error = message.endsWith('Response') ? 'invalid_response' : 'invalid_request'
  return { name, message, cbor, error, path, reason, beyondCddl: options.beyondCddl ?? false }
}

function contentVector([name, operation]) {
  const cbor = encodeContentForHash(withBytes(operation))
  return { name, operation: asJson(withBytes(operation)), cbor: hex(cbor), sha256: sha256(cbor) }
}

function digestVector() {
  const entities = liveEntities.map((entity) => {
    const { collection, entityId, entityVersion, entityCbor } = withBytes(entity)
    const cbor = encodeDigestInput(collection, entityId, entityVersion, entityCbor)
    return { ...asJson(withBytes(entity)), cbor: hex(cbor), sha256: sha256(cbor) }
  })
  const modulus = 1n << 256n
  const sum = entities.reduce((total, { sha256 }) => (total + BigInt(`0x${sha256}`)) % modulus, 0n)
  return { name: 'digest of three entities', entities, digest: hex256(sum) }
}

function sumVector([name, a, b]) {
  const modulus = 1n << 256n
  const [x, y] = [BigInt(`0x${a}`), BigInt(`0x${b}`)]
  return {
    name,
    a,
    b,
    sum: hex256((x + y) % modulus),
    difference: hex256((x - y + modulus) % modulus),
  }
}

function withBytes(operation) {
  const { entityCbor } = operation
  return { ...operation, entityCbor: entityCbor === null ? null : Buffer.from(entityCbor, 'hex') }
}

function asJson(value) {
  if (value instanceof Uint8Array) return { $bytes: hex(value) }
  if (Array.isArray(value)) return value.map(asJson)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asJson(inner)]))
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}

function hex256(value) {
  return value.toString(16).padStart(64, '0')
}

function fileNameOf(message) {
  return `${message.replace(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase()}.json`
}
