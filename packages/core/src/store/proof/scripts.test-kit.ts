/** Small scripts that together do everything a store does. Each is cut short at every operation. */
import { strict as assert } from 'node:assert'
import { isEntiDBError } from '../../errors/entidb-error.ts'
import { assertSameState, readState } from '../store-check.test-kit.ts'
import type { Change, Script } from './scripted-run.test-kit.ts'

const large = (byte: number, length = 1400): Uint8Array => new Uint8Array(length).fill(byte)

const fill =
  (table: string, from: number, to: number): Change =>
  async (edits) => {
    for (let i = from; i < to; i++) await edits.put(table, `key ${i}`, `value ${i * i}`)
  }

/** Single commits, and several at a time. */
export const commits: Script = async (run) => {
  const store = await run.open()
  await run.commit(store, fill('a', 0, 3))
  await run.commit(store, (edits) => edits.delete('a', 'key 1'))
  const together = []
  for (let i = 3; i < 7; i++)
    together.push((await run.handOver(store, fill('a', i, i + 1))).durable)
  await Promise.all(together)
  await run.expectLatest(store, 'after commits')
}

export const checkpoints: Script = async (run) => {
  const store = await run.open()
  await run.commit(store, fill('a', 0, 9))
  await run.checkpoint(store)
  await run.commit(store, fill('a', 4, 6))
  await run.commit(store, (edits) => edits.delete('a', 'key 8'))
  const checkpoint = run.checkpoint(store)
  checkpoint.catch(() => {})
  // In the old log, then in the new one, then after the superblocks.
  for (let i = 0; i < 5; i++) await run.commit(store, fill('b', i, i + 2))
  await checkpoint
  await run.checkpoint(store)
  await run.commit(store, fill('a', 8, 10))
}

export const closing: Script = async (run) => {
  const store = await run.open()
  await run.commit(store, fill('a', 0, 3))
  await run.close(store)
  const second = await run.open()
  assert.equal(second.recovery.lastLsn, 1)
  await run.close(second)
  const third = await run.open()
  await run.commit(third, fill('a', 2, 5))
  const last = (await run.handOver(third, fill('b', 0, 1))).durable
  await run.close(third)
  await last
}

/** What a store that was closed meets first: several commits at once, or nothing but readers. */
export const reopening: Script = async (run) => {
  const first = await run.open()
  await run.commit(first, fill('a', 0, 3))
  await run.close(first)
  const second = await run.open()
  await run.expectLatest(second, 'opened')
  await run.checkpoint(second)
  await run.close(second)
  const third = await run.open()
  const together = []
  for (let i = 0; i < 3; i++)
    together.push((await run.handOver(third, fill('b', i, i + 1))).durable)
  await Promise.all(together)
  await run.checkpoint(third)
  await run.commit(third, fill('a', 2, 4))
}

/** Larger than a node, than a sector, than what the log has allocated ahead. */
export const largeValues: Script = async (run) => {
  const store = await run.open()
  await run.commit(store, (edits) => edits.put('a', 'large', large(1)))
  await run.commit(store, (edits) => edits.put('a', 'other', large(2, 700)))
  await run.checkpoint(store)
  await run.commit(store, (edits) => edits.put('a', 'large', large(3)))
  await run.checkpoint(store)
  await run.commit(store, (edits) => edits.delete('a', 'other'))
  await run.commit(store, (edits) => edits.put('a', 'large', 'small'))
  await run.close(store)
}

export const clearing: Script = async (run) => {
  const store = await run.open()
  await run.commit(store, fill('a', 0, 12))
  await run.commit(store, (edits) => edits.put('b', 'large', large(1, 600)))
  await run.checkpoint(store)
  await run.commit(store, async (edits) => {
    await edits.clear('a')
    await edits.put('a', 'key 3', 'again')
  })
  await run.commit(store, (edits) => edits.clear('b'))
  await run.checkpoint(store)
  await run.commit(store, (edits) => edits.clear('a'))
  await run.close(store)
}

/** A snapshot from before what is in memory, over checkpoints that would like its space. */
export const snapshots: Script = async (run) => {
  const first = await run.open()
  await run.commit(first, fill('a', 0, 12))
  await run.commit(first, (edits) => edits.put('a', 'large', large(1, 600)))
  await run.close(first)
  const store = await run.open()
  const snapshot = store.snapshot()
  for (let round = 0; round < 3; round++) {
    await run.commit(store, async (edits) => {
      await edits.clear('a')
      await fill('a', 20 * round, 20 * round + 12)(edits)
      await edits.put('a', 'large', large(round + 2, 600))
    })
    await run.checkpoint(store)
  }
  assertSameState(await readState(snapshot), run.states[2], 'the snapshot')
  snapshot.release()
  await run.checkpoint(store)
  await run.commit(store, fill('b', 0, 12))
  await run.close(store)
}

/** In the middle there is no space, for the log, then for a checkpoint, then for closing. */
export const fullDisk: Script = async (run) => {
  const store = await run.open()
  await run.commit(store, fill('a', 0, 6))
  run.isDiskFull = true
  await expectNoSpace(() => run.commit(store, (edits) => edits.put('a', 'large', large(1))))
  await run.commit(store, fill('a', 2, 3))
  await expectNoSpace(() => run.checkpoint(store))
  await run.expectLatest(store, 'on a full disk')
  run.isDiskFull = false
  await run.commit(store, (edits) => edits.put('a', 'large', large(2)))
  run.isDiskFull = true
  await run.close(store)
  run.isDiskFull = false
  const again = await run.open()
  await run.commit(again, (edits) => edits.delete('a', 'key 1'))
  await run.close(again)
}

async function expectNoSpace(action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (error) {
    if (isEntiDBError(error, 'disk_full')) return
    throw error
  }
  assert.fail('there was space')
}

export const scripts: Readonly<Record<string, Script>> = {
  commits,
  checkpoints,
  closing,
  reopening,
  largeValues,
  clearing,
  snapshots,
  fullDisk,
}
