/**
 * Finds the last state of a store: the tree that the superblock names, and the commits of the logs
 * that lead on from it. Specified in `docs/format.md`, "Recovery". Changes nothing in the files.
 */
import type { File, FileSystem } from '../files/file-system.ts'
import { MalformedBytes } from './byte-reader.ts'
import { bytesEqual } from './bytes.ts'
import { decodeCatalog } from './catalog.ts'
import type { Checksum } from './checksum.ts'
import { type Extent, UNIT_BYTES } from './extent.ts'
import { extentKinds } from './extent-codec.ts'
import { DATA_FILE, walFileName, walGenerationOf } from './format.ts'
import { decodeFreeList } from './free-list.ts'
import { Head } from './head.ts'
import type { RecoveryReport } from './key-value-store.ts'
import { EditToken, type TableRoot } from './node.ts'
import { NodeCache } from './node-cache.ts'
import { PageFile } from './page-file.ts'
import { RetiredSpace } from './retired-space.ts'
import { SpaceMap } from './space.ts'
import { corrupt } from './store-errors.ts'
import { readSuperblock, type Superblock } from './superblock.ts'
import { TableEdits } from './table-edits.ts'
import { TableNames } from './table-names.ts'
import { decodeWalHeader, WAL_HEADER_BYTES, type WalHeader } from './wal-format.ts'
import { decodeChanges } from './wal-payload.ts'
import { examineTail, type TailCut, WalReader } from './wal-reader.ts'

export interface RecoveryOptions {
  readonly checksum: Checksum
  readonly nodeBytes: number
  readonly largeValueBytes: number
  readonly cacheBytes: number
}

export interface Recovered {
  readonly superblock: Superblock
  readonly pages: PageFile
  /** Nothing is free in it before `readFreeSpace` has been called. */
  readonly space: SpaceMap
  /** Only writers need it, and it may be long: of a store that was closed cleanly it is read late. */
  readonly readFreeSpace: () => Promise<void>
  readonly retired: RetiredSpace
  readonly names: TableNames
  readonly head: Head
  readonly report: RecoveryReport
  /** Nodes of `head` that are in memory alone. */
  readonly unwrittenNodes: number
  /** The highest generation in use; the next log takes a higher one. */
  readonly walGeneration: number
  /**
   * Nothing was replayed, and all that was read is durable: until it is written to, the store may stay
   * as it is.
   */
  readonly wasClosedCleanly: boolean
}

/** Errors: `corrupt`, `not_a_database`, `format_too_new`, `io_failed`. */
export async function recover(
  fileSystem: FileSystem,
  data: File,
  options: RecoveryOptions,
): Promise<Recovered> {
  const { checksum } = options
  const { superblock, isRepeated } = await readSuperblock(data, checksum)
  const cache = new NodeCache(options.cacheBytes)
  const pages = new PageFile(data, superblock.storeId, checksum, cache)
  const names = new TableNames()
  const checkpointed = await readCatalog(superblock, pages, names)
  const space = new SpaceMap(superblock.endUnit)
  let reading: Promise<void> | undefined
  const readFreeSpace = (): Promise<void> => {
    reading ??= readFreeList(superblock, pages, space)
    return reading
  }
  const retired = new RetiredSpace()
  const context = {
    source: pages,
    nodeBytes: options.nodeBytes,
    largeValueBytes: options.largeValueBytes,
    token: new EditToken(),
    replaced: [],
    nodesAdded: 0,
  }
  const edits = new TableEdits(checkpointed, names, context)
  const replay = await replayLogs(fileSystem, superblock, edits, checksum)
  const head = new Head(replay.lastLsn, edits.roots(), names)
  retired.add(replay.lastLsn, context.replaced, edits.droppedTrees, undefined)
  const report: RecoveryReport = {
    replayedCommits: replay.lastLsn - superblock.checkpointLsn,
    lastLsn: replay.lastLsn,
    ...(replay.tailCut === undefined ? {} : { tailCut: replay.tailCut }),
  }
  const walGeneration = Math.max(superblock.walGeneration, replay.generation)
  const unwrittenNodes = context.nodesAdded
  const wasClosedCleanly =
    superblock.sealed && isRepeated && walGeneration === superblock.walGeneration
  if (!wasClosedCleanly) await readFreeSpace()
  const store = { superblock, pages, space, retired, names, head, unwrittenNodes, walGeneration }
  return { ...store, readFreeSpace, report, wasClosedCleanly }
}

async function readCatalog(
  superblock: Superblock,
  pages: PageFile,
  names: TableNames,
): Promise<Head> {
  const roots: (TableRoot | undefined)[] = []
  const { catalog } = superblock
  if (catalog !== undefined) {
    const { payload, count } = await pages.read(catalog, [extentKinds.catalog])
    for (const [name, table] of decoded(catalog, () => decodeCatalog(payload, count))) {
      roots[names.numberOf(name)] = table
    }
  }
  return new Head(superblock.checkpointLsn, roots, names)
}

async function readFreeList(
  { freeList }: Superblock,
  pages: PageFile,
  space: SpaceMap,
): Promise<void> {
  if (freeList === undefined) return
  const { payload, count } = await pages.read(freeList, [extentKinds.freeList])
  for (const [start, size] of decodeFreeList(payload, count)) space.free(start, size)
}

function decoded<T>(extent: Extent, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (error instanceof MalformedBytes) {
      throw corrupt(DATA_FILE, extent.start * UNIT_BYTES, error.message)
    }
    throw error
  }
}

interface Replay {
  readonly lastLsn: number
  readonly generation: number
  readonly tailCut: NonNullable<RecoveryReport['tailCut']> | undefined
}

async function replayLogs(
  fileSystem: FileSystem,
  superblock: Superblock,
  edits: TableEdits,
  checksum: Checksum,
): Promise<Replay> {
  const first = superblock.sealed ? superblock.walGeneration + 1 : superblock.walGeneration
  const present = new Set((await fileSystem.list()).map(walGenerationOf))
  let lastLsn = superblock.checkpointLsn
  let tailCut: Replay['tailCut']
  let generation = first
  let lastFile = walFileName(first)
  let lastOffset = 0
  if (!superblock.sealed && !present.has(first)) throw corrupt(lastFile, 0, 'the log is missing')
  for (; present.has(generation); generation++) {
    const name = walFileName(generation)
    const isRequired = generation === first && !superblock.sealed
    const log = await openLog(
      fileSystem,
      name,
      generation,
      superblock.storeId,
      isRequired,
      checksum,
    )
    if (log === undefined) break
    try {
      if (tailCut !== undefined) throw corrupt(tailCut.file, tailCut.offset, 'a newer log follows')
      if (log.header.firstLsn !== lastLsn + 1) {
        throw corrupt(name, 0, `begins with LSN ${log.header.firstLsn} where ${lastLsn + 1} is due`)
      }
      const reader = new WalReader(log.file, log.header, checksum)
      const cut = await replayLog(reader, name, edits)
      if (cut !== undefined) tailCut = { file: name, ...cut }
      lastLsn = reader.lastLsn
      lastOffset = reader.offset
      lastFile = name
    } finally {
      await log.file.close()
    }
  }
  for (const later of present) {
    if (later === undefined || later <= generation) continue
    const name = walFileName(later)
    const log = await openLog(fileSystem, name, later, superblock.storeId, false, checksum)
    await log?.file.close()
    if (log !== undefined) throw corrupt(name, 0, 'the log before it is missing')
  }
  if (lastLsn < superblock.requiredLsn) {
    const what = `ends at LSN ${lastLsn} where ${superblock.requiredLsn} was stored`
    throw corrupt(lastFile, lastOffset, what)
  }
  return { lastLsn, generation: Math.max(...[...present].map((found) => found ?? 0), 0), tailCut }
}

interface OpenLog {
  readonly file: File
  readonly header: WalHeader
}

/**
 * Undefined for a log that was never in use: its header is flushed before its first frame is written.
 */
async function openLog(
  fileSystem: FileSystem,
  name: string,
  generation: number,
  storeId: Uint8Array,
  isRequired: boolean,
  checksum: Checksum,
): Promise<OpenLog | undefined> {
  const file = await fileSystem.open(name, { create: false })
  if (file === undefined) throw corrupt(name, 0, 'the log is missing')
  try {
    const bytes = new Uint8Array(WAL_HEADER_BYTES)
    const length = await file.readAt(0, bytes)
    const header = decodeWalHeader(bytes.subarray(0, length), name, checksum)
    if (header !== undefined) {
      if (header.generation !== generation || !bytesEqual(header.storeId, storeId)) {
        throw corrupt(name, 0, 'the log belongs to another file')
      }
      return { file, header }
    }
    const wasUsed = (await examineTail(file, 0, undefined, checksum)).frames > 0
    if (isRequired || wasUsed) throw corrupt(name, 0, 'the header of the log is bad')
  } catch (error) {
    await file.close()
    throw error
  }
  await file.close()
  return undefined
}

async function replayLog(
  reader: WalReader,
  name: string,
  edits: TableEdits,
): Promise<TailCut | undefined> {
  for (let frame = await reader.next(); frame !== undefined; frame = await reader.next()) {
    let commits = 0
    try {
      for (const change of decodeChanges(frame.payload)) {
        if (change.kind === 'put') await edits.put(change.table, change.key, change.value)
        else if (change.kind === 'delete') await edits.delete(change.table, change.key)
        else if (change.kind === 'clear') edits.clear(change.table)
        else commits++
      }
    } catch (error) {
      if (error instanceof MalformedBytes) throw corrupt(name, frame.offset, error.message)
      throw error
    }
    if (commits !== frame.header.commits) throw corrupt(name, frame.offset, 'commits are missing')
  }
  return reader.tailCut
}
