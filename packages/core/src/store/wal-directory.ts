/** The WAL files of a store as files in a directory. */
import { assertInvariant } from '../errors/assert.ts'
import type { FileSystem } from '../files/file-system.ts'
import { walFileName, walGenerationOf } from './format.ts'
import { WalFile } from './wal-file.ts'

/** An empty log whose place in the directory is durable; its header is still to come. */
export async function createWal(
  fileSystem: FileSystem,
  generation: number,
  allocationBytesMax: number,
): Promise<WalFile> {
  const name = walFileName(generation)
  const file = await fileSystem.open(name, { create: true })
  assertInvariant(file !== undefined, 'a file that is created exists')
  try {
    const wal = await WalFile.create(file, allocationBytesMax)
    await fileSystem.flushDirectory()
    return wal
  } catch (error) {
    await file.close().catch(() => {})
    await fileSystem.remove(name).catch(() => {})
    throw error
  }
}

/** Removes the logs below `generation`. One that comes back in a crash is ignored by recovery. */
export async function removeWalsBelow(fileSystem: FileSystem, generation: number): Promise<void> {
  for (const name of await fileSystem.list()) {
    const found = walGenerationOf(name)
    if (found !== undefined && found < generation) await fileSystem.remove(name)
  }
}
