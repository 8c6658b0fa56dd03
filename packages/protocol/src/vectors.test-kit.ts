/** The vectors that are published with the package. */
import { readdirSync, readFileSync } from 'node:fs'
import type { MessageName } from './message-codecs.test-kit.ts'

export interface ValidVector {
  readonly name: string
  readonly message: MessageName
  /** Whether an encoder writes these bytes for the value. */
  readonly canonical: boolean
  readonly cbor: string
  readonly diagnostic: string
  readonly value: unknown
}

export interface InvalidVector {
  readonly name: string
  readonly message: MessageName
  readonly cbor: string
  readonly error: string
  readonly path: string
  readonly reason: string
  readonly beyondCddl: boolean
}

const FOLDER = new URL('../vectors/', import.meta.url)
const NOT_MESSAGES = ['content-hash.json', 'digest.json']

/** The file as its author of this package knows it to be. */
export function readVectors<T>(name: string): readonly T[] {
  return JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'))
}

const all = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .filter((name) => !NOT_MESSAGES.includes(name))
  .flatMap((name) => readVectors<ValidVector | InvalidVector>(name))

export const validVectors: readonly ValidVector[] = all.filter((vector) => 'value' in vector)
export const invalidVectors: readonly InvalidVector[] = all.filter((vector) => 'error' in vector)

export function bytesOfHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Bytes become `{ "$bytes": hex }`. */
export function asJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: hexOf(value) }
  if (Array.isArray(value)) return value.map(asJson)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asJson(inner)]))
}
