/** Databases with entities of every type, made by an application, for the tests of import and export. */
import { type AnyEntity, defineCollection, EntiDB } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { openStored } from '@entidb/core/tools'
import { runCli } from '../cli/run-cli.ts'
import { createTestEnvironment } from '../cli/test-environment.test-kit.ts'

export const samples: readonly AnyEntity[] = [
  { id: 'numbers', list: [0, -0, 1.5, Number.NaN, Infinity, -Infinity, 2 ** 53, 2 ** 60, 5e-324] },
  { id: 'bigints', list: [0n, 1n, -1n, 2n ** 64n, -(2n ** 200n)] },
  {
    id: 'dates',
    list: [new Date(0), new Date(-1), new Date(8.64e15), new Date(1_700_000_000_123)],
  },
  { id: 'bytes', list: [new Uint8Array(), Uint8Array.of(0, 255, 10)] },
  { id: 'texts "\\ \n \u2028 ü 🙂', text: '', more: '__proto__' },
  { id: 'forms', a: { $date: 'x' }, b: { $$date: 1 }, c: { $x: { $y: 1 } }, d: { $x: 1, y: 2 } },
  { id: 'empty', list: [], object: {}, none: null, deep: [[{}], [[]]] },
  Object.fromEntries([
    ['id', 'keys'],
    ['__proto__', 1],
    ['constructor', { __proto__: null, 'a.b': 1 }],
    ['', 2],
  ]) as AnyEntity,
]

const collections = {
  things: defineCollection<AnyEntity>({
    version: 2,
    indexes: { text: ['text'], list: ['list[]'] },
  }),
  others: defineCollection<AnyEntity>(),
}

export function openThings(directory: string) {
  return EntiDB.open({ storage: fileStorage(directory), collections, changeFeed: true })
}

/** Closed again. `things` has the samples, and one entity as an implementation with 64-bit integers writes it. */
export async function makeThings(directory: string): Promise<void> {
  const db = await openThings(directory)
  await db.collection('things').putMany(samples)
  await db.transaction((tx) =>
    tx.applyRaw({
      ...{ collection: 'things', entityId: 'b', version: 1, schemaVersion: 2 },
      // { id: 'b', n: 2^60 }
      bytes: Buffer.from('a2616e1b10000000000000006269646162', 'hex'),
    }),
  )
  await db.collection('others').put({ id: 'o1' })
  await db.close()
}

/** Stored bytes by id, in hexadecimal. */
export async function bytesOf(
  directory: string,
  collection = 'things',
): Promise<ReadonlyMap<string, string>> {
  const db = await openStored({ storage: fileStorage(directory), readOnly: true })
  const found = new Map<string, string>()
  for await (const { id } of db.collection(collection).scan()) {
    const raw = await db.collection(collection).getRaw(id)
    found.set(id, Buffer.from(raw?.bytes ?? []).toString('hex'))
  }
  await db.close()
  return found
}

export async function run(...words: string[]) {
  return runWithInput([], ...words)
}

export async function runWithInput(input: readonly Uint8Array[], ...words: string[]) {
  const environment = createTestEnvironment({}, input)
  const exit = await runCli(words, environment)
  const [output, errors] = [environment.output(), environment.errors()]
  return { exit, output, errors, bytes: Buffer.from(environment.bytes()) }
}
