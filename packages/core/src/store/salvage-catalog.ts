/**
 * Finds the tables of a damaged data file: by its superblocks, or else by looking for catalogs in all of the
 * file. `docs/format.md`, "Salvage".
 */
import { isEntiDBError } from '../errors/entidb-error.ts'
import type { File } from '../files/file-system.ts'
import { MalformedBytes } from './byte-reader.ts'
import { catalogLsn, decodeCatalog, type NamedTable } from './catalog.ts'
import type { Checksum } from './checksum.ts'
import { type Extent, UNIT_BYTES } from './extent.ts'
import { EXTENT_HEADER_BYTES, extentKinds, openExtent } from './extent-codec.ts'
import { viewOf } from './format.ts'
import { NodeCache } from './node-cache.ts'
import { PageFile } from './page-file.ts'
import type { StoreLoss } from './salvage-part.ts'
import { FIRST_UNIT, readSuperblocks, type Superblock } from './superblock.ts'

export interface FoundTree {
  readonly checkpointLsn: number
  readonly tables: readonly NamedTable[]
  readonly pages: PageFile
}

export interface TreeSearch {
  /** Undefined when there is no catalog in the whole file. */
  readonly tree: FoundTree | undefined
  /** The one that counts, if it can be read. */
  readonly superblock: Superblock | undefined
  readonly losses: readonly StoreLoss[]
}

/** Error: `format_too_new`. */
export async function findTree(file: File, checksum: Checksum): Promise<TreeSearch> {
  const superblocks = await readSuperblocks(file, checksum)
  const [superblock] = superblocks
  const losses: StoreLoss[] = []
  if (superblock === undefined) {
    losses.push(
      lossOf(file, 0, 'no superblock passes its checksum: the last commits may be missing'),
    )
  }
  for (const { catalog, checkpointLsn, storeId } of superblocks) {
    const pages = new PageFile(file, storeId, checksum, new NodeCache(0))
    const tables = catalog === undefined ? [] : await readTables(pages, catalog)
    if (tables !== undefined) {
      return { tree: { checkpointLsn, tables, pages }, superblock, losses }
    }
    const offset = (catalog?.start ?? 0) * UNIT_BYTES
    if (losses.some((loss) => loss.offset === offset)) continue
    losses.push(lossOf(file, offset, 'the list of tables is damaged: an older one is looked for'))
  }
  return { tree: await findNewestTree(file, checksum), superblock, losses }
}

function lossOf(file: File, offset: number, what: string): StoreLoss {
  const message = `${file.name} is damaged at offset ${offset}: ${what}`
  return { what: 'tables', file: file.name, offset, message }
}

async function readTables(pages: PageFile, catalog: Extent): Promise<NamedTable[] | undefined> {
  try {
    const { payload, count } = await pages.read(catalog, [extentKinds.catalog])
    return decodeCatalog(payload, count)
  } catch (error) {
    if (isUnreadable(error)) return undefined
    throw error
  }
}

/** Damage, or a disk that cannot read a place. */
export function isUnreadable(error: unknown): boolean {
  return (
    error instanceof MalformedBytes ||
    isEntiDBError(error, 'corrupt') ||
    isEntiDBError(error, 'io_failed')
  )
}

/** That of the last commit, of those whose tables can be reached; of any, when there is none such. */
async function findNewestTree(file: File, checksum: Checksum): Promise<FoundTree | undefined> {
  const found: FoundTree[] = []
  for await (const tree of catalogsIn(file, checksum)) found.push(tree)
  found.sort((a, b) => b.checkpointLsn - a.checkpointLsn)
  for (const tree of found) if (await hasAllRoots(tree)) return tree
  return found[0]
}

async function hasAllRoots({ tables, pages }: FoundTree): Promise<boolean> {
  for (const [, { root }] of tables) {
    try {
      if (root?.extent !== undefined) await pages.readNode(root.extent)
    } catch (error) {
      if (isUnreadable(error)) return false
      throw error
    }
  }
  return true
}

const STEP_UNITS = 2048

/** Extents begin at units: every unit may be a catalog's. */
async function* catalogsIn(
  file: File,
  checksum: Checksum,
): AsyncGenerator<FoundTree, void, undefined> {
  const step = new Uint8Array(STEP_UNITS * UNIT_BYTES)
  const units = Math.ceil(file.size() / UNIT_BYTES)
  for (let first = FIRST_UNIT; first < units; first += STEP_UNITS) {
    const length = await readWhatCanBeRead(file, first * UNIT_BYTES, step)
    for (let at = 0; at + EXTENT_HEADER_BYTES <= length; at += UNIT_BYTES) {
      const unit = first + at / UNIT_BYTES
      const extent = catalogAt(step.subarray(at, at + EXTENT_HEADER_BYTES), unit, file.size())
      const tree = extent === undefined ? undefined : await openCatalog(file, extent, checksum)
      if (tree !== undefined) yield tree
    }
  }
}

/** What of a file a search needs. */
export type SearchedFile = Pick<File, 'size' | 'readAt'>

/** Sectors that the disk cannot read are as if they held `ff` all over: nothing that is looked for. */
export async function readWhatCanBeRead(
  file: SearchedFile,
  offset: number,
  target: Uint8Array,
): Promise<number> {
  try {
    return await file.readAt(offset, target)
  } catch (error) {
    if (!isUnreadable(error)) throw error
  }
  const end = offset + target.length
  let cut = UNIT_BYTES * Math.ceil((offset + end) / 2 / UNIT_BYTES)
  if (cut >= end) cut -= UNIT_BYTES
  if (cut <= offset) {
    target.fill(0xff)
    return Math.min(target.length, file.size() - offset)
  }
  const first = target.subarray(0, cut - offset)
  const length = await readWhatCanBeRead(file, offset, first)
  if (length < first.length) return length
  return length + (await readWhatCanBeRead(file, cut, target.subarray(length)))
}

function catalogAt(header: Uint8Array, unit: number, fileBytes: number): Extent | undefined {
  const view = viewOf(header)
  const isCatalog =
    view.getUint32(0, true) === extentKinds.catalog && view.getUint32(8, true) === unit
  const bytes = view.getUint32(4, true) + EXTENT_HEADER_BYTES
  if (!isCatalog || unit * UNIT_BYTES + bytes > fileBytes) return undefined
  return { start: unit, bytes }
}

async function openCatalog(
  file: File,
  extent: Extent,
  checksum: Checksum,
): Promise<FoundTree | undefined> {
  const bytes = new Uint8Array(extent.bytes)
  const length = await readWhatCanBeRead(file, extent.start * UNIT_BYTES, bytes)
  if (length < bytes.length) return undefined
  // Which store the file is of nobody says but its extents themselves.
  const storeId = bytes.slice(12, 16)
  const opened = openExtent(bytes, extent, [extentKinds.catalog], storeId, checksum)
  if (opened === undefined) return undefined
  const { payload, count } = opened
  try {
    const tables = decodeCatalog(payload, count)
    const pages = new PageFile(file, storeId, checksum, new NodeCache(0))
    return { checkpointLsn: catalogLsn(payload), tables, pages }
  } catch (error) {
    if (error instanceof MalformedBytes) return undefined
    throw error
  }
}
