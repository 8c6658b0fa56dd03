/**
 * What every KeyValueStore must do, as a suite for any test runner. What a crash leaves behind cannot
 * be seen from here: an implementation shows that by other means.
 *
 * ```ts
 * import { describe, test } from 'vitest'
 * storeConformance('my store', async () => ({ storage, dispose }), { describe, test })
 * ```
 */
import { expectEqual, expectErrorCode } from '../files/conformance-asserts.ts'
import type { ConformanceRunner } from '../files/file-system-conformance.ts'
import type { KeyValueStore, Reader, Storage, WriteTransaction } from './key-value-store.ts'
import { defineScanTests } from './store-conformance-scans.ts'
import { bytesOf, entriesOf, type OpenStore, textOf, write } from './store-conformance-support.ts'

/** An empty storage of its own for one test. Opening it again shows what was committed before. */
export interface StorageSubject {
  readonly storage: Storage
  /** Called after the test. */
  dispose(): Promise<void>
}

type DefineTest = (name: string, body: (open: OpenStore) => Promise<void>) => void

/** Defines the tests of `name`, each with a new subject. */
export function storeConformance(
  name: string,
  createSubject: () => Promise<StorageSubject>,
  runner: ConformanceRunner,
): void {
  const defineTest: DefineTest = (title, body) => {
    runner.test(title, async () => {
      const subject = await createSubject()
      const opened: KeyValueStore[] = []
      try {
        await body(async (durability = 'strict') => {
          const store = await subject.storage.open({ durability })
          opened.push(store)
          return store
        })
      } finally {
        for (const store of opened) await store.close()
        await subject.dispose()
      }
    })
  }
  runner.describe(`KeyValueStore conformance: ${name}`, () => {
    defineEntryTests(defineTest)
    defineScanTests(defineTest)
    defineTransactionTests(defineTest)
    defineSnapshotTests(defineTest)
    defineLifeTests(defineTest)
  })
}

function defineEntryTests(test: DefineTest): void {
  test('store: new -> empty', async (open) => {
    const store = await open()
    const snapshot = store.snapshot()
    expectEqual(await snapshot.get('t', bytesOf('a')), undefined)
    expectEqual(await snapshot.count('t'), 0)
    expectEqual(await snapshot.tables(), [])
    expectEqual(await entriesOf(snapshot, 't'), [])
    expectEqual(store.stats().lastLsn, 0)
    snapshot.release()
  })

  test('put: same key twice -> the later value, counted once', async (open) => {
    const store = await open()
    await write(store, async (tx) => {
      await tx.put('t', bytesOf('k'), bytesOf('1'))
      await tx.put('t', bytesOf('k'), bytesOf('2'))
    })
    await expectState(store, [['t', [['k', '2']]]])
  })

  test('put: empty key and empty value -> stored', async (open) => {
    const store = await open()
    await write(store, (tx) => tx.put('t', bytesOf(''), bytesOf('')))
    await expectState(store, [['t', [['', '']]]])
  })

  test('put: value of 3 MiB beside small ones -> stored', async (open) => {
    const store = await open()
    const large = new Uint8Array(3 * 1024 * 1024).map((_, i) => i % 251)
    await write(store, async (tx) => {
      await tx.put('t', bytesOf('large'), large)
      await tx.put('t', bytesOf('small'), bytesOf('1'))
    })
    const snapshot = store.snapshot()
    const found = await snapshot.get('t', bytesOf('large'))
    expectEqual(found?.length, large.length)
    expectEqual(
      found?.every((byte, i) => byte === i % 251),
      true,
    )
    snapshot.release()
  })

  test('tables: same key in two -> independent', async (open) => {
    const store = await open()
    await write(store, async (tx) => {
      await tx.put('a', bytesOf('k'), bytesOf('1'))
      await tx.put('b', bytesOf('k'), bytesOf('2'))
      await tx.delete('a', bytesOf('k'))
    })
    await expectState(store, [['b', [['k', '2']]]])
  })

  test('delete: present, then absent -> true, then false', async (open) => {
    const store = await open()
    await write(store, async (tx) => {
      await tx.put('t', bytesOf('k'), bytesOf('1'))
      expectEqual(await tx.delete('t', bytesOf('k')), true)
      expectEqual(await tx.delete('t', bytesOf('k')), false)
      expectEqual(await tx.delete('never', bytesOf('k')), false)
    })
    await expectState(store, [])
  })

  test('clear: filled, then written again -> holds only what came after', async (open) => {
    const store = await open()
    await write(store, async (tx) => {
      for (let i = 0; i < 500; i++) await tx.put('t', bytesOf(`old${i}`), bytesOf('x'))
    })
    await write(store, async (tx) => {
      await tx.clear('t')
      expectEqual(await tx.count('t'), 0)
      await tx.put('t', bytesOf('new'), bytesOf('y'))
    })
    await expectState(store, [['t', [['new', 'y']]]])
  })
}

function defineTransactionTests(test: DefineTest): void {
  test('transaction: reads after writes -> sees its own', async (open) => {
    const store = await open()
    await write(store, (tx) => tx.put('t', bytesOf('a'), bytesOf('1')))
    await write(store, async (tx) => {
      await tx.put('t', bytesOf('b'), bytesOf('2'))
      await tx.delete('t', bytesOf('a'))
      expectEqual(textOf(await tx.get('t', bytesOf('b'))), '2')
      expectEqual(await tx.get('t', bytesOf('a')), undefined)
      expectEqual(await tx.count('t'), 1)
      expectEqual(await tx.tables(), ['t'])
      expectEqual(await entriesOf(tx, 't'), [['b', '2']])
    })
  })

  test('rollback: after changes -> no trace, and the next writer may begin', async (open) => {
    const store = await open()
    const tx = await store.begin()
    await tx.put('t', bytesOf('a'), bytesOf('1'))
    tx.rollback()
    tx.rollback()
    await write(store, (next) => next.put('t', bytesOf('b'), bytesOf('2')))
    await expectState(store, [['t', [['b', '2']]]])
  })

  test('transaction: used after its end -> transaction_closed', async (open) => {
    const store = await open()
    const tx = await store.begin()
    tx.rollback()
    await expectErrorCode('transaction_closed', () => tx.put('t', bytesOf('a'), bytesOf('1')))
    await expectErrorCode('transaction_closed', () => tx.get('t', bytesOf('a')))
    await expectErrorCode('transaction_closed', () => tx.commit())
  })

  test('begin: several at once -> one after the other, in order', async (open) => {
    const store = await open()
    const order: number[] = []
    await Promise.all(
      [1, 2, 3, 4].map(async (number) => {
        const tx = await store.begin()
        order.push(number)
        const last = await tx.get('t', bytesOf('last'))
        expectEqual(textOf(last), number === 1 ? undefined : String(number - 1))
        await tx.put('t', bytesOf('last'), bytesOf(String(number)))
        await tx.commit()
        expectEqual(Number(textOf(await lastOf(store))) >= number, true)
      }),
    )
    expectEqual(order, [1, 2, 3, 4])
  })

  test('commit: many under way -> resolve in order, then visible', async (open) => {
    const store = await open()
    const resolved: number[] = []
    const commits: Promise<void>[] = []
    for (let i = 0; i < 50; i++) {
      const tx = await store.begin()
      await tx.put('t', bytesOf(`k${i}`), bytesOf(String(i)))
      commits.push(tx.commit().then(() => void resolved.push(i)))
    }
    await Promise.all(commits)
    expectEqual(
      resolved,
      Array.from({ length: 50 }, (_, i) => i),
    )
    const snapshot = store.snapshot()
    expectEqual(await snapshot.count('t'), 50)
    snapshot.release()
    expectEqual(store.stats().lastLsn, 50)
  })

  test('commit: without changes -> resolves and takes no LSN', async (open) => {
    const store = await open()
    await write(store, async () => {})
    expectEqual(store.stats().lastLsn, 0)
  })
}

function defineSnapshotTests(test: DefineTest): void {
  test('snapshot: before commits and checkpoints -> stays as it was', async (open) => {
    const store = await open()
    await write(store, (tx) => tx.put('t', bytesOf('a'), bytesOf('1')))
    const snapshot = store.snapshot()
    expectEqual(store.stats().openSnapshots, 1)
    for (let i = 0; i < 5; i++) {
      await write(store, (tx) => tx.put('t', bytesOf('a'), bytesOf(`new${i}`)))
      await store.checkpoint()
    }
    await write(store, (tx) => tx.clear('t'))
    expectEqual(await entriesOf(snapshot, 't'), [['a', '1']])
    expectEqual(await snapshot.count('t'), 1)
    snapshot.release()
    snapshot.release()
    expectEqual(store.stats().openSnapshots, 0)
    await expectState(store, [])
  })

  test('snapshot: while a transaction is open -> sees nothing of it', async (open) => {
    const store = await open()
    const tx = await store.begin()
    await tx.put('t', bytesOf('a'), bytesOf('1'))
    const snapshot = store.snapshot()
    await tx.commit()
    expectEqual(await snapshot.get('t', bytesOf('a')), undefined)
    snapshot.release()
  })

  test('snapshot: used after release -> transaction_closed', async (open) => {
    const store = await open()
    const snapshot = store.snapshot()
    snapshot.release()
    await expectErrorCode('transaction_closed', () => snapshot.get('t', bytesOf('a')))
  })
}

function defineLifeTests(test: DefineTest): void {
  for (const durability of ['strict', 'relaxed'] as const) {
    test(`close: ${durability}, then opened again -> everything is there`, async (open) => {
      const store = await open(durability)
      await write(store, async (tx) => {
        for (let i = 0; i < 2000; i++) await tx.put('t', bytesOf(`k${i}`), bytesOf(`v${i}`))
      })
      await write(store, (tx) => tx.delete('t', bytesOf('k7')))
      await store.close()
      expectEqual(store.stats().state, 'closed')
      const again = await open(durability)
      expectEqual(again.recovery.lastLsn, 2)
      const snapshot = again.snapshot()
      expectEqual(await snapshot.count('t'), 1999)
      expectEqual(textOf(await snapshot.get('t', bytesOf('k8'))), 'v8')
      expectEqual(await snapshot.get('t', bytesOf('k7')), undefined)
      snapshot.release()
    })
  }

  test('close: with a writer and commits under way -> waits for them', async (open) => {
    const store = await open()
    const first = await store.begin()
    await first.put('t', bytesOf('a'), bytesOf('1'))
    const closed = store.close()
    await first.commit()
    await closed
    await expectState(await open(), [['t', [['a', '1']]]])
  })

  test('store: used after close -> database_closed', async (open) => {
    const store = await open()
    const snapshot = store.snapshot()
    await store.close()
    await store.close()
    await expectErrorCode('database_closed', () => store.begin())
    await expectErrorCode('database_closed', () => store.snapshot())
    await expectErrorCode('database_closed', () => store.checkpoint())
    await expectErrorCode('database_closed', () => snapshot.get('t', bytesOf('a')))
  })

  test('open: while open -> database_locked', async (open) => {
    await open()
    await expectErrorCode('database_locked', () => open())
  })

  test('stats: after commits -> counts tables, entries, commits', async (open) => {
    const store = await open()
    await write(store, async (tx) => {
      await tx.put('a', bytesOf('1'), bytesOf('x'))
      await tx.put('a', bytesOf('2'), bytesOf('x'))
      await tx.put('b', bytesOf('1'), bytesOf('x'))
    })
    const { state, lastLsn, tables, entries } = store.stats()
    expectEqual([state, lastLsn, tables, entries], ['open', 1, 2, 3])
  })
}

async function lastOf(store: KeyValueStore): Promise<Uint8Array | undefined> {
  const snapshot = store.snapshot()
  const last = await snapshot.get('t', bytesOf('last'))
  snapshot.release()
  return last
}

async function expectState(
  store: KeyValueStore,
  expected: readonly (readonly [string, readonly (readonly [string, string])[]])[],
): Promise<void> {
  const snapshot = store.snapshot()
  expectEqual(await stateOf(snapshot), expected)
  snapshot.release()
}

async function stateOf(reader: Reader | WriteTransaction): Promise<unknown> {
  const names = [...(await reader.tables())].sort()
  const state: unknown[] = []
  for (const name of names) {
    const entries = await entriesOf(reader, name)
    expectEqual(await reader.count(name), entries.length)
    state.push([name, entries])
  }
  return state
}
