import { describe, expect, test } from 'vitest'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import { EntiDBError } from '../errors/entidb-error.ts'
import type { Storage } from '../store/key-value-store.ts'
import { defineCollection } from './collection-definition.ts'
import { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import { naiveStorage } from './naive-store.test-kit.ts'
import type { Query } from './query.ts'
import { stores } from './stores.test-kit.ts'
import type { Transaction } from './transaction.ts'

interface Account {
  id: string
  balance: number
}

const collections = {
  accounts: defineCollection<Account>({ indexes: { byBalance: ['balance'] } }),
  notes: defineCollection<{ id: string; text: string }>(),
}

function open(storage: Storage = memoryStorage()) {
  return EntiDB.open({ storage, collections })
}

describe.each(stores)('transactions on the $store store', ({ createStorage }) => {
  test('several collections -> own writes visible, all committed, the result passed on', async () => {
    const db = await open(createStorage())
    const result = await db.transaction(async (tx) => {
      await tx.collection('accounts').put({ id: 'a', balance: 1 })
      await tx.collection('notes').put({ id: 'n', text: 'x' })
      expect(await tx.collection('accounts').get('a')).toEqual({ id: 'a', balance: 1 })
      expect(await tx.collection('accounts').find({ where: { balance: 1 } })).toHaveLength(1)
      expect(await db.collection('accounts').get('a')).toBeUndefined()
      await tx.collection('accounts').put({ id: 'a', balance: 2 })
      expect((await tx.collection('accounts').get('a'))?.balance).toBe(2)
      await tx.collection('notes').delete('n')
      expect(await tx.collection('notes').get('n')).toBeUndefined()
      return 'result'
    })
    expect(result).toBe('result')
    expect((await db.collection('accounts').get('a'))?.balance).toBe(2)
    expect(await db.collection('notes').count()).toBe(0)
    await db.close()
  })

  test('the callback throws -> its own error, nothing stored, cached or indexed', async () => {
    const db = await open(createStorage())
    const accounts = db.collection('accounts')
    await accounts.put({ id: 'a', balance: 1 })
    const before = await accounts.get('a')
    const mistake = new Error('mistake')
    const failing = db.transaction(async (tx) => {
      await tx.collection('accounts').put({ id: 'a', balance: 2 })
      await tx.collection('accounts').put({ id: 'b', balance: 2 })
      expect((await tx.collection('accounts').get('a'))?.balance).toBe(2)
      throw mistake
    })
    await expect(failing).rejects.toBe(mistake)
    expect(await accounts.get('a')).toEqual(before)
    expect(await accounts.find({ where: { balance: 2 } })).toEqual([])
    await db.transaction(async (tx) => {
      await tx.collection('accounts').put({ id: 'a', balance: 3 })
    })
    expect((await accounts.get('a'))?.balance).toBe(3)
    await db.close()
  })

  test('read from outside before and while it commits -> the old state, then the new', async () => {
    const db = await open(createStorage())
    const accounts = db.collection('accounts')
    await accounts.put({ id: 'a', balance: 1 })
    let committing: Promise<unknown> | undefined
    await db
      .transaction(async (tx) => {
        await tx.collection('accounts').put({ id: 'a', balance: 2 })
        expect((await accounts.get('a'))?.balance).toBe(1)
        expect((await accounts.find())[0]?.balance).toBe(1)
        expect((await tx.collection('accounts').get('a'))?.balance).toBe(2)
        expect((await accounts.getMany(['a']))[0]?.balance).toBe(1)
        committing = accounts.put({ id: 'b', balance: 3 }).catch(() => {})
      })
      .catch(() => {})
    expect((await accounts.get('a'))?.balance).toBe(2)
    await committing
    await db.close()
  })

  test('a refused write is caught -> it left no trace, the rest is committed', async () => {
    const db = await open(createStorage())
    await db.transaction(async (tx) => {
      const accounts = tx.collection('accounts')
      await accounts.insert({ id: 'a', balance: 1 })
      await accounts.insert({ id: 'a', balance: 2 }).catch(() => {})
      await accounts.put({ id: 'b', balance: Symbol('x') as never }).catch(() => {})
      await accounts.insert({ id: 'c', balance: 3 })
    })
    const ids = (await db.collection('accounts').find()).map(({ id }) => id)
    expect(ids).toEqual(['a', 'c'])
    expect((await db.collection('accounts').get('a'))?.balance).toBe(1)
    await db.close()
  })

  test.each<[string, Query<Account>]>([
    ['by id', {}],
    ['by an index', { where: { balance: { gte: 0 } }, orderBy: { balance: 'asc' } }],
    ['by several stretches of it', { where: { balance: { in: [1, 2, 600] } } }],
  ])(
    'scan %s, which deletes and changes what lies ahead -> as all was at its beginning',
    async (_, query) => {
      const db = await open(createStorage())
      const all = Array.from({ length: 600 }, (_, i) => ({ id: `${1000 + i}`, balance: i }))
      await db.transaction(async (tx) => {
        const accounts = tx.collection('accounts')
        await accounts.putMany(all)
        const expected = await accounts.find(query)
        const seen: Account[] = []
        for await (const account of accounts.scan(query)) {
          if (seen.length === 0) {
            for (const { id } of all.slice(300, 500)) await accounts.delete(id)
            for (const { id } of all.slice(500)) await accounts.put({ id, balance: -1 })
            await accounts.put({ id: '1001', balance: 600 })
          }
          seen.push(account)
        }
        expect(seen).toEqual(expected)
      })
      expect((await db.verify()).problems).toEqual([])
      expect(await db.collection('accounts').count({ where: { balance: -1 } })).toBe(100)
      await db.close()
    },
  )

  test('a write that nobody awaits, at any moment of the commit -> stored with its operation, or refused', async () => {
    const db = await EntiDB.open({ storage: createStorage(), collections, changeFeed: true })
    const outcomes = new Set<string>()
    for (let turns = 0; turns < 30; turns++) {
      const id = `late${turns}`
      let late: Promise<string> | undefined
      const { receipt } = await db.transaction(async (tx) => {
        await tx.collection('notes').put({ id: 'n', text: `${turns}` })
        late = (async () => {
          for (let i = 0; i < turns; i++) await undefined
          await tx.collection('notes').put({ id, text: 'late' })
          return 'stored'
        })().catch((error) => error.code)
        return tx
      })
      const outcome = (await late) ?? ''
      outcomes.add(outcome)
      const isStored = outcome === 'stored'
      expect((await db.collection('notes').get(id)) !== undefined).toBe(isStored)
      const written: string[] = []
      const after = receipt.transactionId - 1
      for await (const op of db.changes({ after, wait: false })) written.push(op.entityId)
      expect(written).toEqual(isStored ? ['n', id] : ['n'])
    }
    expect(outcomes).toEqual(new Set(['stored', 'transaction_closed']))
    await db.close()
  })

  test('putMany: one id twice, over stored ones, one refused -> indexes as one by one', async () => {
    const db = await open(createStorage())
    await db.transaction(async (tx) => {
      const accounts = tx.collection('accounts')
      await accounts.put({ id: 'a', balance: 0 })
      await accounts.putMany([
        { id: 'a', balance: 1 },
        { id: 'b', balance: 1 },
        { id: 'a', balance: 2 },
        { id: 'b', balance: 3 },
        { id: 'c', balance: 1 },
      ])
      const byBalance = await accounts.find({ where: { balance: { gte: 0 } } })
      expect(byBalance.map(({ id, balance }) => [id, balance])).toEqual([
        ['a', 2],
        ['b', 3],
        ['c', 1],
      ])
      const refused = accounts.putMany([
        { id: 'd', balance: 4 },
        { id: '', balance: 4 },
      ])
      await expect(refused).rejects.toMatchObject({ code: 'invalid_id' })
      expect(await accounts.count({ where: { balance: { gte: 0 } } })).toBe(3)
    })
    await db.close()
  })

  test('writes not awaited one by one -> each is whole', async () => {
    const db = await open(createStorage())
    await db.transaction(async (tx) => {
      const accounts = tx.collection('accounts')
      await accounts.put({ id: 'a', balance: 0 })
      await Promise.all(
        Array.from({ length: 10 }, () =>
          accounts.update('a', (account) => ({ ...account, balance: account.balance + 1 })),
        ),
      )
    })
    expect((await db.collection('accounts').get('a'))?.balance).toBe(10)
    expect(await db.collection('accounts').find({ where: { balance: { gte: 0 } } })).toHaveLength(1)
    await db.close()
  })

  test('after its end -> transaction_closed, but the receipt stays', async () => {
    const db = await open(createStorage())
    let kept: Transaction<typeof collections> | undefined
    await db.transaction(async (tx) => {
      kept = tx
      await tx.collection('accounts').put({ id: 'a', balance: 1 })
      await tx.collection('accounts').put({ id: 'b', balance: 1 })
    })
    expect(kept?.receipt).toEqual({ transactionId: 1, opIds: [1, 2] })
    const closed = { code: 'transaction_closed' }
    const accounts = kept?.collection('accounts')
    await expect(accounts?.get('a')).rejects.toMatchObject(closed)
    await expect(accounts?.put({ id: 'c', balance: 1 })).rejects.toMatchObject(closed)
    await expect(kept?.replica.state('accounts', 'a')).rejects.toMatchObject(closed)
    await expect(kept?.transaction(() => 1)).rejects.toMatchObject(closed)
    await db.close()
  })

  test('tx.transaction -> joins', async () => {
    const db = await open(createStorage())
    await db.transaction(async (tx) => {
      await tx.transaction(async (inner) => {
        await inner.collection('accounts').put({ id: 'a', balance: 1 })
      })
      expect(await tx.collection('accounts').count()).toBe(1)
    })
    await db.close()
  })

  test('many increments at once -> none is lost', async () => {
    const db = await open(createStorage())
    const accounts = db.collection('accounts')
    await accounts.put({ id: 'a', balance: 0 })
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        i % 2 === 0
          ? accounts.update('a', (account) => ({ ...account, balance: account.balance + 1 }))
          : db.transaction(async (tx) => {
              const account = await tx.collection('accounts').get('a')
              const balance = (account?.balance ?? 0) + 1
              await tx.collection('accounts').put({ id: 'a', balance })
            }),
      ),
    )
    expect((await accounts.get('a'))?.balance).toBe(50)
    await db.close()
  })
})

describe('writers', () => {
  test('first come, first served', async () => {
    const db = await open()
    const order: number[] = []
    await Promise.all(
      [0, 1, 2, 3].map((i) =>
        db.transaction(async (tx) => {
          await tx.collection('notes').put({ id: String(i), text: 'x' })
          order.push(i)
        }),
      ),
    )
    expect(order).toEqual([0, 1, 2, 3])
    await db.close()
  })

  test('a write through the database inside a callback -> TypeError instead of a deadlock', async () => {
    const db = await open()
    const deadlock = db.transaction(() => db.collection('notes').put({ id: 'n', text: 'x' }))
    await expect(deadlock).rejects.toThrow(TypeError)
    await db.collection('notes').put({ id: 'n', text: 'x' })
    await db.close()
  })

  test('a callback waits for a write behind it -> transaction_abandoned, the write goes on', async () => {
    const db = await EntiDB.open({
      ...{ storage: memoryStorage(), collections, limits: { maxIdleTransactionMs: 20 } },
    })
    let behind: Promise<unknown> | undefined
    let late: Promise<unknown> | undefined
    const deadlock = db.transaction(async (tx) => {
      await tx.collection('notes').put({ id: 'n', text: 'x' })
      behind = db.collection('notes').put({ id: 'm', text: 'y' })
      await behind
      late = tx.collection('notes').get('n')
      await late.catch(() => {})
    })
    const code = 'transaction_abandoned'
    const error = await deadlock.catch((reason) => reason)
    expect(error).toMatchObject({ code })
    expect(error.cause.stack).toContain('transaction.test.ts')
    await behind
    expect((await db.collection('notes').find()).map(({ id }) => id)).toEqual(['m'])
    await expect(late).rejects.toMatchObject({ code })
    await db.close()
  })

  test('a slow callback that nobody waits for, or that works -> not abandoned', async () => {
    const db = await EntiDB.open({
      ...{ storage: memoryStorage(), collections, limits: { maxIdleTransactionMs: 20 } },
    })
    const pause = () => new Promise((resolve) => setTimeout(resolve, 30))
    await db.transaction(pause)
    const working = db.transaction(async (tx) => {
      for (let i = 0; i < 8; i++) {
        await tx.collection('notes').put({ id: String(i), text: 'x' })
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })
    await Promise.all([working, db.collection('notes').put({ id: 'm', text: 'y' })])
    expect(await db.collection('notes').count()).toBe(9)
    await db.close()
  })

  test('a failed commit -> its error, and the old state is read', async () => {
    let fails = false
    const db = await open(
      naiveStorage({
        onCommit: () => {
          if (fails) throw new Error('no')
        },
      }),
    )
    const accounts = db.collection('accounts')
    await accounts.put({ id: 'a', balance: 1 })
    expect((await accounts.get('a'))?.balance).toBe(1)
    fails = true
    await expect(accounts.put({ id: 'a', balance: 2 })).rejects.toThrow('no')
    expect((await accounts.get('a'))?.balance).toBe(1)
    fails = false
    await accounts.put({ id: 'a', balance: 3 })
    expect((await accounts.get('a'))?.balance).toBe(3)
    await db.close()
  })
})

describe('snapshots', () => {
  test('writers go on -> the snapshot stays, and is gone after release', async () => {
    const db = await open()
    const accounts = db.collection('accounts')
    await accounts.put({ id: 'a', balance: 1 })
    const snapshot = db.snapshot()
    await accounts.put({ id: 'a', balance: 2 })
    await accounts.put({ id: 'b', balance: 2 })
    const then = snapshot.collection('accounts')
    expect((await then.get('a'))?.balance).toBe(1)
    expect(await then.find({ where: { balance: 2 } })).toEqual([])
    expect(await then.count()).toBe(1)
    expect((await accounts.get('a'))?.balance).toBe(2)
    snapshot.release()
    snapshot.release()
    await expect(then.get('a')).rejects.toMatchObject({ code: 'transaction_closed' })
    expect((await db.stats()).store.openSnapshots).toBe(0)
    await db.close()
  })
})

describe('close', () => {
  test('afterwards -> database_closed; twice -> once', async () => {
    const db = await open()
    const accounts = db.collection('accounts')
    await accounts.put({ id: 'a', balance: 1 })
    await accounts.get('a')
    await Promise.all([db.close(), db.close()])
    const closed = { code: 'database_closed' }
    await expect(accounts.get('a')).rejects.toMatchObject(closed)
    await expect(accounts.put({ id: 'a', balance: 1 })).rejects.toMatchObject(closed)
    await expect(accounts.find()).rejects.toMatchObject(closed)
    await expect(db.transaction(async () => {})).rejects.toMatchObject(closed)
    expect(() => db.snapshot()).toThrow(expect.objectContaining(closed))
    await expect(db.stats()).rejects.toMatchObject(closed)
  })

  test('a transaction is running -> it ends first', async () => {
    const storage = memoryStorage()
    const db = await open(storage)
    const running = db.transaction(async (tx) => {
      await Promise.resolve()
      await tx.collection('accounts').put({ id: 'a', balance: 1 })
    })
    await db.close()
    await running
    const again = await open(storage)
    expect((await again.collection('accounts').get('a'))?.balance).toBe(1)
    await again.close()
  })

  test('await using -> closed at the end of the block', async () => {
    const storage = memoryStorage()
    {
      await using db = await open(storage)
      await db.collection('accounts').put({ id: 'a', balance: 1 })
    }
    await (await open(storage)).close()
  })
})

const withBalance = (id: string): Account => ({ id, balance: 2 })

const replicated = (entityId: string) => ({
  ...{ collection: 'accounts', entityId, version: 1, schemaVersion: 1 },
  bytes: encodeEntity(withBalance(entityId)),
})

/** Reads are answered at once, writes have to wait: as where what is read lies in memory already. */
function storageThatWritesLater(beforePut = () => {}): Storage {
  const storage = naiveStorage()
  return {
    description: 'writes later',
    open: async (options) => {
      const store = await storage.open(options)
      const begin = store.begin.bind(store)
      store.begin = async () => {
        const tx = await begin()
        const put = tx.put.bind(tx)
        tx.put = async (...entry) => {
          await undefined
          beforePut()
          await put(...entry)
        }
        return tx
      }
      return store
    },
  }
}

test.each<[string, (tx: Transaction<typeof collections>) => Promise<unknown>]>([
  ['a write', (tx) => tx.collection('accounts').put({ id: 'a', balance: 2 })],
  ['many writes', (tx) => tx.collection('accounts').putMany(['a', 'b'].map(withBalance))],
  ['a page', (tx) => tx.replica.applyNewer(['b', 'c', 'd'].map(replicated))],
])(
  'the store fails in the middle of %s, others follow -> nothing is committed',
  async (_, write) => {
    let putsLeft = Number.POSITIVE_INFINITY
    const storage = storageThatWritesLater(() => {
      if (--putsLeft === 0) throw new EntiDBError('io_failed', 'simulated')
    })
    const db = await EntiDB.open({ storage, collections, changeFeed: true })
    const accounts = db.collection('accounts')
    await accounts.put({ id: 'a', balance: 1 })
    // Entries of its index, records, operations.
    for (let failAt = 1; ; failAt++) {
      const failing = db.transaction(async (tx) => {
        putsLeft = failAt
        await write(tx).catch(() => {})
        await tx.collection('notes').put({ id: 'm', text: 'x' })
      })
      const outcome = await failing.then(
        () => 'committed',
        (error) => error.code,
      )
      expect((await db.verify()).problems).toEqual([])
      if (putsLeft > 0) break
      expect(outcome).toBe('io_failed')
      expect(await accounts.find()).toEqual([{ id: 'a', balance: 1 }])
      expect(await db.collection('notes').count()).toBe(0)
      putsLeft = Number.POSITIVE_INFINITY
    }
    expect(await db.collection('notes').count()).toBe(1)
    await db.close()
  },
)

test('an update whose function writes too -> that comes after it, whole', async () => {
  const storage = storageThatWritesLater()
  const db = await EntiDB.open({ storage, collections, changeFeed: true })
  const accounts = db.collection('accounts')
  await accounts.putMany([
    { id: 'a', balance: 1 },
    { id: 'b', balance: 1 },
  ])
  await db.transaction(async (tx) => {
    const inside = tx.collection('accounts')
    await inside.update('a', (account) => {
      void inside.put({ id: 'b', balance: 2 })
      void inside.put({ id: 'a', balance: 3 })
      return { ...account, balance: 4 }
    })
  })
  expect((await accounts.find()).map(({ balance }) => balance)).toEqual([3, 2])
  expect((await db.verify()).problems).toEqual([])
  const seen: unknown[] = []
  for await (const { entityId, payload } of db.changes({ after: 2, wait: false })) {
    seen.push([entityId, (payload as Account).balance])
  }
  expect(seen).toEqual([
    ['a', 4],
    ['b', 2],
    ['a', 3],
  ])
  await db.close()
})
