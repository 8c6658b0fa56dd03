/** What the parts of the KeyValueStore conformance suite share. */
import type {
  Durability,
  KeyRange,
  KeyValueStore,
  Reader,
  WriteTransaction,
} from './key-value-store.ts'

export type OpenStore = (durability?: Durability) => Promise<KeyValueStore>

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text)
}

export function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : decoder.decode(bytes)
}

/** Runs `change` as one transaction; resolves when it is durable. */
export async function write(
  store: KeyValueStore,
  change: (tx: WriteTransaction) => unknown,
): Promise<void> {
  const tx = await store.begin()
  try {
    await change(tx)
  } catch (error) {
    tx.rollback()
    throw error
  }
  await tx.commit()
}

/** What a scan yields, as text, fetched in batches of at most `entriesMax`. */
export async function entriesOf(
  reader: Reader,
  table: string,
  range: KeyRange = {},
  entriesMax = 100,
): Promise<[string, string][]> {
  const cursor = reader.scan(table, range)
  const entries: [string, string][] = []
  for (;;) {
    const { keys, values } = await cursor.next(entriesMax)
    if (keys.length > entriesMax) throw new Error('a batch is larger than asked')
    if (keys.length === 0) return entries
    for (const [i, key] of keys.entries())
      entries.push([textOf(key) ?? '', textOf(values[i]) ?? ''])
  }
}
