/**
 * The promise of the store, for files that a crash left: acknowledged commits are a subset of the
 * recovered ones, these are a prefix of the commits in order, and each is whole.
 */
import { strict as assert } from 'node:assert'
import { type Files, readStore } from '../format-reader/read-store.test-kit.ts'
import { DATA } from '../format-reader/superblock.test-kit.ts'
import { Random } from '../random.ts'
import { diskWith } from '../simulated-disk.ts'
import { assertSameState, hex, readState, type State } from '../store-check.test-kit.ts'
import { bytesOf, write } from '../store-conformance-support.ts'
import { openTreeStore } from '../tree-store.ts'
import type { TreeStoreOptions } from '../tree-store-options.ts'
import { digestOf } from './power-losses.test-kit.ts'

export interface Promised {
  /** `states[n]` is what holds after `n` commits: as many as were handed over, and none that was refused. */
  readonly states: readonly State[]
  /** Commits that have to be there. */
  readonly acknowledged: number
}

/** Remembers what was verified: the same files, with no more to be there, need not be again. */
export class Verified {
  readonly #acknowledgedByFiles = new Map<string, number>()

  isNews(files: Files, { states, acknowledged }: Promised): boolean {
    const key = `${digestOf(files)} ${states.length}`
    const before = this.#acknowledgedByFiles.get(key)
    if (before !== undefined && before >= acknowledged) return false
    this.#acknowledgedByFiles.set(key, acknowledged)
    return true
  }
}

/** Throws when the files break the promise. They are read by the format alone, and by the engine. */
export async function expectPromiseKept(
  files: Files,
  promised: Promised,
  settings: TreeStoreOptions,
  label: string,
): Promise<void> {
  const expectKept = (lastLsn: number, state: State, who: string): void => {
    const least = promised.acknowledged
    assert(lastLsn >= least, `${label}: ${who}: ${lastLsn} commits, ${least} were acknowledged`)
    assertSameState(state, promised.states[lastLsn], `${label}: ${who} at commit ${lastLsn}`)
  }
  // Without a data file there is nothing yet for the format to speak of.
  const found = files.has(DATA) ? labelled(label, () => readStore(files)) : undefined
  if (found !== undefined) expectKept(found.lastLsn, found.tables, 'the format')

  const disk = diskWith(new Random(1), files)
  const store = await openTreeStore(disk.mount(), settings).catch((error) => {
    throw new Error(`${label}: cannot be opened: ${error}`, { cause: error })
  })
  const { lastLsn } = store.recovery
  assert.equal(lastLsn, found?.lastLsn ?? 0, `${label}: the engine and the format disagree`)
  const snapshot = store.snapshot()
  const state = await readState(snapshot)
  snapshot.release()
  expectKept(lastLsn, state, 'the engine')

  await write(store, (tx) => tx.put('afterwards', bytesOf('key'), bytesOf('value')))
  await store.close()
  const closed = labelled(label, () => readStore(disk.image()))
  state.set('afterwards', new Map([[hex(bytesOf('key')), hex(bytesOf('value'))]]))
  assertSameState(closed.tables, state, `${label}: a commit more, closed`)
}

function labelled<T>(label: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new Error(`${label}: ${error}`, { cause: error })
  }
}
