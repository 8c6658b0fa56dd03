/**
 * A copy of the tree that a superblock names, as the bytes of a data file: complete by itself, for its
 * superblocks say that it needs no log. What is free in the tree may change while it is copied, and is
 * free in the copy too. `docs/format.md`, "Backups".
 */

import { assertInvariant } from '../errors/assert.ts'
import { EntiDBError } from '../errors/entidb-error.ts'
import type { FileSystem } from '../files/file-system.ts'
import type { Checksum } from './checksum.ts'
import { UNIT_BYTES } from './extent.ts'
import { DATA_FILE, NEW_DATA_FILE, walGenerationOf } from './format.ts'
import type { CopyProgress } from './key-value-store.ts'
import { NodeCache } from './node-cache.ts'
import { PageFile } from './page-file.ts'
import { pause, systemScheduler } from './scheduler.ts'
import { corrupt } from './store-errors.ts'
import { encodeHead, FIRST_UNIT, readSuperblock, type Superblock } from './superblock.ts'
import { verifyTree } from './verify-tree.ts'

const PIECE_BYTES = 1024 * 1024

/** The pieces follow each other without gaps. Errors: `corrupt`, `io_failed`. */
export async function* copyTree(
  pages: PageFile,
  superblock: Superblock,
  checksum: Checksum,
): AsyncGenerator<Uint8Array, void, undefined> {
  const sealed = {
    ...superblock,
    sealed: true,
    requiredLsn: superblock.checkpointLsn,
  }
  yield encodeHead(sealed, checksum)
  const end = superblock.endUnit * UNIT_BYTES
  for (let offset = FIRST_UNIT * UNIT_BYTES; offset < end; offset += PIECE_BYTES) {
    const piece = new Uint8Array(Math.min(PIECE_BYTES, end - offset))
    // A file may end inside its last unit.
    await pages.file.readAt(offset, piece)
    yield piece
  }
}

/**
 * Makes a store of what `copyTree` gave, in a directory that holds none. Nothing is found there before all
 * of it was written, checked and flushed.
 *
 * Errors: `database_exists`, `database_locked`, `corrupt` (the copy is damaged or cut off),
 * `not_a_database`, `format_too_new`, `disk_full`, `io_failed`.
 */
export async function restoreTree(
  fileSystem: FileSystem,
  pieces: AsyncIterable<Uint8Array>,
  checksum: Checksum,
  onProgress: (progress: CopyProgress) => void,
): Promise<void> {
  const lock = await fileSystem.lock()
  try {
    await assertEmpty(fileSystem)
    try {
      await writeCopy(fileSystem, pieces, onProgress)
      await assertWhole(fileSystem, checksum)
    } catch (error) {
      await fileSystem.remove(NEW_DATA_FILE).catch(() => {})
      throw error
    }
    await fileSystem.rename(NEW_DATA_FILE, DATA_FILE)
    await fileSystem.flushDirectory()
  } finally {
    await lock.release()
  }
}

async function assertEmpty(fileSystem: FileSystem): Promise<void> {
  const names = await fileSystem.list()
  const present = names.find((name) => name === DATA_FILE || walGenerationOf(name) !== undefined)
  if (present === undefined) return
  throw new EntiDBError(
    'database_exists',
    `${fileSystem.description} holds a database already (${present}). Restore into an empty directory.`,
    { details: { file: present } },
  )
}

async function writeCopy(
  fileSystem: FileSystem,
  pieces: AsyncIterable<Uint8Array>,
  onProgress: (progress: CopyProgress) => void,
): Promise<void> {
  const file = await fileSystem.open(NEW_DATA_FILE, { create: true })
  assertInvariant(file !== undefined, 'a file that is created exists')
  try {
    await file.truncate(0)
    let offset = 0
    for await (const piece of pieces) {
      await file.writeAt(offset, piece)
      offset += piece.length
      onProgress({ doneBytes: offset })
    }
    await file.flush()
  } finally {
    await file.close()
  }
}

async function assertWhole(fileSystem: FileSystem, checksum: Checksum): Promise<void> {
  const file = await fileSystem.open(NEW_DATA_FILE, { create: false })
  assertInvariant(file !== undefined, 'the copy was just written')
  try {
    const { superblock } = await readSuperblock(file, checksum)
    if (file.size() < superblock.endUnit * UNIT_BYTES) {
      throw corrupt(file.name, file.size(), 'the copy ends before its time')
    }
    if (!superblock.sealed) throw corrupt(file.name, 0, 'this data file needs its log')
    const pages = new PageFile(file, superblock.storeId, checksum, new NodeCache(0))
    const step = (): Promise<void> => pause(systemScheduler)
    const { problems } = await verifyTree(pages, superblock, { step })
    const [first] = problems
    if (first !== undefined) throw corrupt(first.file, first.offset, first.message)
  } finally {
    await file.close()
  }
}
