/** Makes the log that commits go to: what is written first after opening. `docs/format.md`, "Recovery". */
import type { FileSystem } from '../files/file-system.ts'
import type { Checkpointer } from './checkpoint.ts'
import { NEW_DATA_FILE } from './format.ts'
import { Pace } from './pace.ts'
import type { Recovered } from './recovery.ts'
import type { TreeStoreSettings } from './tree-store-options.ts'
import { createWal, removeWalsBelow } from './wal-directory.ts'
import type { WalFile } from './wal-file.ts'
import { SALT_BYTES } from './wal-format.ts'

/**
 * Makes what was recovered rest on flushed bytes alone. First the superblock, flushed as it is and
 * repeated in the other slot: a process that died may have left it in the page cache only, and nothing
 * may be overwritten or removed on its word before it is durable. Then a sealed tree, a new log, and
 * the superblock that demands the log.
 *
 * After `disk_full` it may be tried again. The first thing it writes is then a sealed superblock where
 * the one that demands the log may have got to, so that this log can be made anew.
 */
export async function startLog(
  fileSystem: FileSystem,
  recovered: Recovered,
  checkpointer: Checkpointer,
  settings: TreeStoreSettings,
): Promise<WalFile> {
  const { head, pages, walGeneration, wasClosedCleanly } = recovered
  await recovered.readFreeSpace()
  const { superblock } = checkpointer
  const { lsn } = head
  // No log was ever in use: who made the data file may have died before its name was durable.
  if (superblock.walGeneration === 0) await fileSystem.flushDirectory()
  await pages.file.flush()
  // A flush that failed before may have lost it, and this one report success all the same: the next number
  // would tell an opener that it is durable.
  await checkpointer.writeSuperblock(superblock, superblock, wasClosedCleanly ? 1 : 3)
  if (!superblock.sealed || walGeneration > superblock.walGeneration) {
    const pace = new Pace(settings.scheduler)
    const tree = await checkpointer.writeTree(head.tables(), lsn, pace)
    await checkpointer.writeSuperblock(tree, { sealed: true, walGeneration, requiredLsn: lsn })
  }
  await fileSystem.remove(NEW_DATA_FILE)
  await removeWalsBelow(fileSystem, walGeneration + 1)
  const wal = await createWal(fileSystem, walGeneration + 1, settings.walAllocationBytes)
  try {
    const salt = settings.randomBytes(SALT_BYTES)
    const header = { generation: walGeneration + 1, storeId: superblock.storeId, salt }
    await wal.start({ ...header, firstLsn: lsn + 1 }, settings.checksum)
    const log = { sealed: false, walGeneration: walGeneration + 1, requiredLsn: lsn }
    await checkpointer.writeSuperblock(checkpointer.superblock, log)
  } catch (error) {
    // It stays in the directory: a superblock that demands it may be there.
    await wal.close().catch(() => {})
    throw error
  }
  return wal
}
