/** The store against sorted maps: any changes, reads, snapshots, checkpoints and reopenings. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareBytes } from './bytes.ts'
import type { KeyRange, KeyValueStore, Reader, StoreSnapshot } from './key-value-store.ts'
import { Random } from './random.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { assertSpaceAccounted, hex, readState } from './store-check.test-kit.ts'
import { tinySettings } from './store-workload.test-kit.ts'
import { openTreeStore } from './tree-store.ts'

type Model = ReadonlyMap<string, Uint8Array>

/** Few bytes, so that keys meet; long ones, so that heads are equal. */
const key = fc
  .tuple(fc.constantFrom('', 'a', 'prefix/', 'prefix/longer/'), fc.uint8Array({ maxLength: 2 }))
  .map(([prefix, rest]) => Uint8Array.from([...Buffer.from(prefix), ...rest]))
const value = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 30 }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 65, maxLength: 700 }) },
)
const change = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('put' as const), key, value }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('deleteRange' as const),
      from: key,
      count: fc.nat(40),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('fill' as const), from: key, count: fc.nat(60) }),
  },
)
const range: fc.Arbitrary<KeyRange> = fc.record(
  { gt: key, gte: key, lt: key, lte: key, reverse: fc.boolean() },
  { requiredKeys: [] },
)
const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('transaction' as const),
      changes: fc.array(change, { maxLength: 12 }),
      isRolledBack: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('scan' as const), range, size: fc.nat(9) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('snapshot' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

class Comparison {
  readonly #disk = new SimulatedDisk(new Random(1))
  readonly #isAsynchronous: boolean
  #store: KeyValueStore | undefined
  #model = new Map<string, Uint8Array>()
  #pinned: { readonly snapshot: StoreSnapshot; readonly model: Model }[] = []

  constructor(isAsynchronous: boolean) {
    this.#isAsynchronous = isAsynchronous
  }

  async open(): Promise<KeyValueStore> {
    const mount = this.#disk.mount({ isAsynchronous: this.#isAsynchronous })
    this.#store ??= await openTreeStore(mount, tinySettings(new Random(2)))
    return this.#store
  }

  async run(next: Step): Promise<void> {
    const store = await this.open()
    if (next.kind === 'transaction') await this.#transact(store, next)
    else if (next.kind === 'scan') await this.#scan(store, next.range, next.size + 1)
    else if (next.kind === 'checkpoint') await store.checkpoint()
    else if (next.kind === 'snapshot') {
      this.#pinned.push({ snapshot: store.snapshot(), model: new Map(this.#model) })
    } else if (next.kind === 'release') await this.#release()
    else await this.#reopen()
  }

  async end(): Promise<void> {
    await this.#reopen()
    const store = await this.open()
    const snapshot = store.snapshot()
    await expectModel(snapshot, this.#model)
    snapshot.release()
    await store.close()
    await assertSpaceAccounted(this.#disk.mount())
  }

  async #transact(store: KeyValueStore, next: Extract<Step, { kind: 'transaction' }>) {
    const tx = await store.begin()
    const model = new Map(this.#model)
    for (const item of next.changes) {
      if (item.kind === 'put') {
        await tx.put('t', item.key, item.value)
        model.set(hex(item.key), item.value)
      } else if (item.kind === 'delete') {
        expect(await tx.delete('t', item.key)).toBe(model.delete(hex(item.key)))
      } else if (item.kind === 'fill') {
        for (let i = 0; i < item.count; i++) {
          const filled = Uint8Array.from([...item.from, i])
          await tx.put('t', filled, filled)
          model.set(hex(filled), filled)
        }
      } else {
        const keys = sortedKeys(model, { gte: item.from }).slice(0, item.count)
        for (const removed of keys) {
          expect(await tx.delete('t', Buffer.from(removed, 'hex'))).toBe(true)
          model.delete(removed)
        }
      }
    }
    await expectModel(tx, model)
    if (next.isRolledBack) return tx.rollback()
    await tx.commit()
    this.#model = model
  }

  async #scan(store: KeyValueStore, wanted: KeyRange, size: number): Promise<void> {
    const { gt, gte, lt, lte } = wanted
    if ((gt !== undefined && gte !== undefined) || (lt !== undefined && lte !== undefined)) return
    const snapshot = store.snapshot()
    const cursor = snapshot.scan('t', wanted)
    const found: string[] = []
    for (;;) {
      const batch = await cursor.next(size)
      if (batch.keys.length === 0) break
      expect(batch.keys.length).toBeLessThanOrEqual(size)
      found.push(...batch.keys.map(hex))
    }
    expect(found).toEqual(sortedKeys(this.#model, wanted))
    snapshot.release()
  }

  async #release(): Promise<void> {
    const pinned = this.#pinned.shift()
    if (pinned === undefined) return
    await expectModel(pinned.snapshot, pinned.model)
    pinned.snapshot.release()
  }

  async #reopen(): Promise<void> {
    while (this.#pinned.length > 0) await this.#release()
    await (await this.open()).close()
    await assertSpaceAccounted(this.#disk.mount())
    this.#store = undefined
  }
}

function sortedKeys(model: Model, { gt, gte, lt, lte, reverse }: KeyRange): string[] {
  const keys = [...model.keys()]
    .map((text) => Buffer.from(text, 'hex'))
    .filter((item) => gt === undefined || compareBytes(item, gt) > 0)
    .filter((item) => gte === undefined || compareBytes(item, gte) >= 0)
    .filter((item) => lt === undefined || compareBytes(item, lt) < 0)
    .filter((item) => lte === undefined || compareBytes(item, lte) <= 0)
    .sort(compareBytes)
    .map(hex)
  return reverse === true ? keys.reverse() : keys
}

async function expectModel(reader: Reader, model: Model): Promise<void> {
  const state = (await readState(reader)).get('t') ?? new Map<string, string>()
  const expected = sortedKeys(model, {}).map((text) => [
    text,
    hex(model.get(text) ?? new Uint8Array()),
  ])
  expect([...state]).toEqual(expected)
}

test.each([
  ['at once', false],
  ['later', true],
])(
  'store: any steps, on files that answer %s -> agrees with a sorted map',
  async (_, isAsynchronous) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const comparison = new Comparison(isAsynchronous)
        for (const next of steps) await comparison.run(next)
        await comparison.end()
      }),
      { numRuns: 60 },
    )
  },
)
