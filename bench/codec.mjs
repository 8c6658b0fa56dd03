// The entity codec beside JSON as UTF-8, in one process, in turns. Run: node bench/codec.mjs

import { pathToFileURL } from 'node:url'
import {
  assertDeterministicEntity,
  decodeEntity,
  decodeFrozenEntity,
  encodeEntity,
  readEntityId,
} from '@entidb/core/cbor'
import { printTable } from './figures.mjs'

const ROUNDS = 15
const CALLS = 100_000

function person(i) {
  return {
    id: `p${i}-7f3a9c21d4e8`,
    name: `Ada Lovelace ${i}`,
    email: `ada.lovelace.${i}@example.org`,
    status: 'active',
    city: 'London',
    createdAt: 1_700_000_000_000 + i,
    updatedAt: 1_700_000_500_000 + i,
    age: 36 + (i % 20),
    visits: i,
    score: 0.1 + i,
    tags: ['mathematics', 'engines', 'poetry'],
  }
}

const entities = Array.from({ length: 256 }, (_, i) => person(i))
const asJson = entities.map((entity) => Buffer.from(JSON.stringify(entity)))
const asCbor = entities.map((entity) => encodeEntity(entity))
const utf8 = new TextDecoder()
const toUtf8 = new TextEncoder()

/** Calls per second. What `use` returns is looked at, so that no call can be left out. */
function measure(use) {
  let seen = 0
  const start = process.hrtime.bigint()
  for (let i = 0; i < CALLS; i++) if (use(i & 255) !== undefined) seen++
  const seconds = Number(process.hrtime.bigint() - start) / 1e9
  if (seen !== CALLS) throw new Error('A call returned nothing')
  return CALLS / seconds
}

function compare(title, uses) {
  const rows = uses.map(([name]) => ({ name, rates: [] }))
  for (const [, use] of uses) measure(use)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, [, use]] of uses.entries()) rows[i].rates.push(measure(use))
  }
  printTable(title, rows)
}

export function codec() {
  console.log(`one entity: ${asCbor[0].length} bytes as CBOR, ${asJson[0].length} as JSON`)
  compare('encode (entities/s)', [
    ['encodeEntity', (i) => encodeEntity(entities[i])],
    ['JSON.stringify, Buffer', (i) => Buffer.from(JSON.stringify(entities[i]))],
    ['JSON.stringify, TextEncoder', (i) => toUtf8.encode(JSON.stringify(entities[i]))],
  ])
  compare('decode (entities/s)', [
    ['decodeEntity', (i) => decodeEntity(asCbor[i])],
    ['JSON.parse, Buffer', (i) => JSON.parse(asJson[i].toString())],
    ['JSON.parse, TextDecoder', (i) => JSON.parse(utf8.decode(asJson[i]))],
  ])
  compare('decode and freeze (entities/s)', [
    ['decodeFrozenEntity', (i) => decodeFrozenEntity(asCbor[i])],
    ['JSON.parse, Buffer, frozen', (i) => frozen(JSON.parse(asJson[i].toString()))],
    ['JSON.parse, Buffer', (i) => JSON.parse(asJson[i].toString())],
  ])
  compare('validate (entities/s)', [
    ['assertDeterministicEntity', (i) => assertDeterministicEntity(asCbor[i]) ?? true],
    ['readEntityId', (i) => readEntityId(asCbor[i])],
    ['JSON.parse, Buffer', (i) => JSON.parse(asJson[i].toString())],
  ])
}

function frozen(entity) {
  Object.freeze(entity.tags)
  return Object.freeze(entity)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) codec()
