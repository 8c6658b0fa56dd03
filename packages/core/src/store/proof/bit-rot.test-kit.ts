/**
 * Files that changed by themselves. Whatever byte it is, opening, reading everything and a commit give the
 * right data or an error of a documented code: never wrong data, another exception, or no end.
 */
import { strict as assert } from 'node:assert'
import { isEntiDBError } from '../../errors/entidb-error.ts'
import { framesOf, type LogFile, readLogHeader } from '../format-reader/log.test-kit.ts'
import { type Files, readStore } from '../format-reader/read-store.test-kit.ts'
import { DATA } from '../format-reader/superblock.test-kit.ts'
import type { KeyValueStore, Reader } from '../key-value-store.ts'
import { Random } from '../random.ts'
import { diskWith } from '../simulated-disk.ts'
import { assertSameState, hex, readState, type State } from '../store-check.test-kit.ts'
import { openTreeStore } from '../tree-store.ts'
import { type SmallFiles, smallSettings } from './small-files.test-kit.ts'

const FIRST_EXTENT = 8192
const CODES = ['corrupt', 'not_a_database', 'format_too_new']
/** More than any opening and reading of small files needs. */
const OPERATIONS_MAX = 2000

export interface Damage {
  readonly file: string
  readonly offset: number
  readonly bytes: Uint8Array
}

/** The places of every byte that opening, reading everything and a commit look at: others cannot matter. */
export async function bytesRead(small: SmallFiles): Promise<{ file: string; offset: number }[]> {
  const marks = new Map(
    [...small.files].map(([name, { length }]) => [name, new Uint8Array(length)]),
  )
  const onRead = (file: string, offset: number, length: number): void => {
    marks.get(file)?.fill(1, offset, offset + length)
  }
  const disk = diskWith(new Random(1), small.files)
  const store = await openTreeStore(disk.mount({ onRead }), smallSettings(2))
  await readEverything(store, small.states.at(-1) ?? new Map())
  await commitOne(store)
  const places: { file: string; offset: number }[] = []
  for (const [file, marked] of marks) {
    for (const [offset, mark] of marked.entries()) if (mark === 1) places.push({ file, offset })
  }
  return places
}

export function flipped(files: Files, file: string, offset: number, mask: number): Damage {
  const byte = files.get(file)?.[offset]
  assert(byte !== undefined, `${file} has no byte ${offset}`)
  return { file, offset, bytes: Uint8Array.of(byte ^ mask) }
}

/**
 * Throws unless the damage is harmless or reported. The answer says which. There are two superblocks so
 * that damage of one is harmless.
 */
export async function expectNothingWrong(small: SmallFiles, damage: Damage): Promise<string> {
  const outcome = await outcomeOfDamage(small, damage)
  const isInSuperblock = damage.file === DATA && damage.offset < FIRST_EXTENT
  assert(outcome !== 'corrupt' || !isInSuperblock, `${small.name}: a superblock was not replaced`)
  return outcome
}

async function outcomeOfDamage(small: SmallFiles, damage: Damage): Promise<string> {
  const { name, files, states } = small
  const shown = hex(damage.bytes.subarray(0, 8))
  const label = `${name}: ${damage.bytes.length} bytes of ${damage.file} at ${damage.offset}: ${shown}`
  const damaged = (files.get(damage.file) ?? new Uint8Array(0)).slice()
  damaged.set(damage.bytes, damage.offset)
  const image = new Map(files).set(damage.file, damaged)
  try {
    return await outcomeOf(image, states, label, isInLastFrame(small, damage))
  } catch (error) {
    if (isEntiDBError(error) && CODES.includes(error.code)) return error.code
    throw new Error(`${label}: ${error}`, { cause: error })
  }
}

async function outcomeOf(
  image: Files,
  states: readonly State[],
  label: string,
  mayBeCut: boolean,
): Promise<string> {
  const disk = diskWith(new Random(1), image)
  let operations = 0
  const failure = () => {
    operations++
    if (operations > OPERATIONS_MAX) throw new Error('it does not end')
    return undefined
  }
  const store = await openTreeStore(disk.mount({ failure }), smallSettings(2))
  const { lastLsn, tailCut } = store.recovery
  // Nobody can tell a damaged last frame from one that was never finished: it is cut, and reported.
  const isCut = lastLsn === states.length - 2 && mayBeCut && tailCut !== undefined
  assert(isCut || lastLsn === states.length - 1, `${label}: ${lastLsn} commits`)
  const codes = await readEverything(store, states[lastLsn] ?? new Map())
  await attempt(codes, () => commitOne(store))
  await store.close()
  if (codes.size > 0) return [...codes].join()
  const expected = new Map(states[lastLsn]).set(ADDED, new Map([[hex(KEY), hex(KEY)]]))
  assertSameState(readStore(disk.image()).tables, expected, `${label}, closed again`)
  return isCut ? 'cut' : 'right'
}

/** By key and by scan: what is answered is right. The codes of what is not answered. */
async function readEverything(store: KeyValueStore, expected: State): Promise<Set<string>> {
  const codes = new Set<string>()
  const snapshot = store.snapshot()
  for (const [table, entries] of expected) {
    for (const [key, value] of entries) {
      await attempt(codes, async () => assert.equal(await storedValue(snapshot, table, key), value))
    }
  }
  await attempt(codes, async () => assertSameState(await readState(snapshot), expected, 'scan'))
  snapshot.release()
  return codes
}

async function attempt(codes: Set<string>, action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (error) {
    if (!isEntiDBError(error) || !CODES.includes(error.code)) throw error
    codes.add(error.code)
  }
}

const ADDED = 'added'
const KEY = Uint8Array.of(1)

async function commitOne(store: KeyValueStore): Promise<void> {
  const tx = await store.begin()
  await tx.put(ADDED, KEY, KEY)
  await tx.commit()
}

async function storedValue(
  reader: Reader,
  table: string,
  key: string,
): Promise<string | undefined> {
  const value = await reader.get(table, Buffer.from(key, 'hex'))
  return value === undefined ? undefined : hex(value)
}

function isInLastFrame({ files }: SmallFiles, { file, offset }: Damage): boolean {
  const logs = [...files.keys()].filter((name) => name.startsWith('wal-')).sort()
  const bytes = files.get(file)
  if (bytes === undefined || file !== lastLogWithFrames(files, logs)) return false
  return offset >= (frames({ name: file, bytes }).at(-1)?.offset ?? 0)
}

function lastLogWithFrames(files: Files, logs: readonly string[]): string | undefined {
  return logs.findLast((name) => frames({ name, bytes: files.get(name) ?? new Uint8Array(0) })[0])
}

function frames(log: LogFile) {
  const header = readLogHeader(log)
  return header === undefined ? [] : [...framesOf(log, header.salt)]
}
