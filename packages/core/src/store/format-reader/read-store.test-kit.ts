/**
 * Reads a directory of files as `docs/format.md` says, "Recovery" included, and changes nothing. Slow
 * and strict: it looks at every byte that means something.
 */
import { type DataFile, type Entries, hexOf, readDataFile } from './data-file.test-kit.ts'
import { FormatProblem, isEqual } from './fields.test-kit.ts'
import {
  type Change,
  commitsOf,
  endOfFrames,
  type Frame,
  frameHeadersFrom,
  framesOf,
  generationOf,
  type LogFile,
  type LogHeader,
  logName,
  readLogHeader,
} from './log.test-kit.ts'
import { DATA } from './superblock.test-kit.ts'

export type Files = ReadonlyMap<string, Uint8Array>

export interface Cut {
  readonly file: string
  readonly offset: number
  readonly bytes: number
}

export interface StoreContents {
  /** Tables with entries, by name; entries in hexadecimal, in key order. */
  readonly tables: Map<string, Entries>
  readonly lastLsn: number
  /** Commits that the logs add to the tree. */
  readonly replayedCommits: number
  readonly cut: Cut | undefined
  readonly data: DataFile
}

/** Throws a `FormatProblem`. */
export function readStore(files: Files): StoreContents {
  const bytes = files.get(DATA)
  if (bytes === undefined) throw new FormatProblem('corrupt', DATA, 0, 'no data file')
  const data = readDataFile(bytes)
  const chain = new Chain(files, data)
  chain.replay()
  return {
    tables: sorted(chain.tables),
    lastLsn: chain.lastLsn,
    replayedCommits: chain.lastLsn - data.superblock.checkpointLsn,
    cut: chain.cut,
    data,
  }
}

class Chain {
  readonly tables: Map<string, Entries>
  lastLsn: number
  cut: Cut | undefined
  readonly #files: Files
  readonly #data: DataFile

  constructor(files: Files, data: DataFile) {
    this.#files = files
    this.#data = data
    this.tables = data.tables
    this.lastLsn = data.superblock.checkpointLsn
  }

  replay(): void {
    const { isSealed, walGeneration, requiredLsn } = this.#data.superblock
    let generation = isSealed ? walGeneration + 1 : walGeneration
    if (!isSealed && !this.#files.has(logName(generation))) {
      throw new FormatProblem('corrupt', logName(generation), 0, 'the log is missing')
    }
    const mustExist = isSealed ? undefined : walGeneration
    while (this.#replayLog(generation, generation === mustExist)) generation++
    for (const name of this.#files.keys()) {
      if ((generationOf(name) ?? 0) <= generation) continue
      if (this.#inUse(name) === undefined) continue
      throw new FormatProblem('corrupt', name, 0, 'the log before it is missing')
    }
    if (this.lastLsn < requiredLsn) {
      throw new FormatProblem('corrupt', DATA, 48, `the log ends before LSN ${requiredLsn}`)
    }
  }

  /** False where the chain ends. */
  #replayLog(generation: number, mustExist: boolean): boolean {
    const name = logName(generation)
    const log = this.#inUse(name)
    if (log === undefined) {
      if (!mustExist) return false
      throw new FormatProblem('corrupt', name, 0, 'no valid header')
    }
    const { header, file } = log
    if (this.cut !== undefined) {
      throw new FormatProblem('corrupt', this.cut.file, this.cut.offset, 'a log follows the cut')
    }
    if (header.firstLsn !== this.lastLsn + 1) {
      throw new FormatProblem('corrupt', name, 40, `begins with LSN ${header.firstLsn}`)
    }
    const frames = [...framesOf(file, header.salt)]
    for (const frame of frames) this.#replayFrame(file, frame)
    this.cut = this.#tailOf(file, header, endOfFrames(frames))
    return true
  }

  /** A log that has a valid header, which is this store's. */
  #inUse(name: string): { readonly file: LogFile; readonly header: LogHeader } | undefined {
    const bytes = this.#files.get(name)
    if (bytes === undefined) return undefined
    const file = { name, bytes }
    const header = readLogHeader(file)
    if (header === undefined) {
      const [frame] = frameHeadersFrom(bytes, 0)
      if (frame === undefined) return undefined
      throw new FormatProblem('corrupt', name, 0, 'frames without a valid header')
    }
    const { storeId } = this.#data.superblock
    if (header.generation === generationOf(name) && isEqual(header.storeId, storeId)) {
      return { file, header }
    }
    throw new FormatProblem('corrupt', name, 0, 'a log of another generation or store')
  }

  #replayFrame(file: LogFile, frame: Frame): void {
    const { firstLsn, commits } = frame.header
    if (firstLsn !== this.lastLsn + 1 || commits === 0) {
      throw new FormatProblem('corrupt', file.name, frame.offset, `LSN ${firstLsn} is not due`)
    }
    for (const changes of commitsOf(file, frame)) {
      for (const change of changes) this.#apply(change)
    }
    this.lastLsn += commits
  }

  #apply(change: Change): void {
    const entries = this.tables.get(change.table) ?? new Map()
    this.tables.set(change.table, entries)
    if (change.kind === 'put') entries.set(hexOf(change.key), hexOf(change.value))
    else if (change.kind === 'delete') entries.delete(hexOf(change.key))
    else entries.clear()
  }

  #tailOf({ name, bytes }: LogFile, { salt }: LogHeader, offset: number): Cut | undefined {
    for (const header of frameHeadersFrom(bytes, offset)) {
      if (!isEqual(header.salt, salt) || header.flushedLsn <= this.lastLsn) continue
      throw new FormatProblem('corrupt', name, offset, 'a frame that was flushed is bad')
    }
    const end = bytes.findLastIndex((byte) => byte !== 0) + 1
    return end > offset ? { file: name, offset, bytes: end - offset } : undefined
  }
}

/** Tables by name and entries by key; hexadecimal orders as the bytes do. */
function sorted(tables: ReadonlyMap<string, Entries>): Map<string, Entries> {
  const inOrder = <V>(map: ReadonlyMap<string, V>): [string, V][] =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1))
  const filled = inOrder(tables).filter(([, entries]) => entries.size > 0)
  return new Map(filled.map(([name, entries]) => [name, new Map(inOrder(entries))]))
}
