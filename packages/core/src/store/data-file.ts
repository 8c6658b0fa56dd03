/** Opens the data file, or makes the one of a new, empty store. */
import { assertInvariant } from '../errors/assert.ts'
import type { File, FileSystem } from '../files/file-system.ts'
import type { Checksum } from './checksum.ts'
import { DATA_FILE, NEW_DATA_FILE, STORE_ID_BYTES, walGenerationOf } from './format.ts'
import { corrupt } from './store-errors.ts'
import { FIRST_UNIT, type Superblock, writeSuperblock } from './superblock.ts'

/** Error: `corrupt` when there are logs and no data file. */
export async function openDataFile(
  fileSystem: FileSystem,
  checksum: Checksum,
  randomBytes: (length: number) => Uint8Array,
): Promise<File> {
  const existing = await fileSystem.open(DATA_FILE, { create: false })
  if (existing !== undefined) return existing
  const names = await fileSystem.list()
  if (names.some((name) => walGenerationOf(name) !== undefined)) {
    throw corrupt(DATA_FILE, 0, 'the file is missing')
  }
  await createDataFile(fileSystem, checksum, randomBytes)
  const created = await fileSystem.open(DATA_FILE, { create: false })
  assertInvariant(created !== undefined, 'the data file was just made')
  return created
}

/** Made under another name and renamed: under its own name it is whole from the first moment on. */
async function createDataFile(
  fileSystem: FileSystem,
  checksum: Checksum,
  randomBytes: (length: number) => Uint8Array,
): Promise<void> {
  const file = await fileSystem.open(NEW_DATA_FILE, { create: true })
  assertInvariant(file !== undefined, 'a file that is created exists')
  try {
    await file.truncate(0)
    const empty: Superblock = {
      storeId: randomBytes(STORE_ID_BYTES),
      sequence: 1,
      sealed: true,
      checkpointLsn: 0,
      requiredLsn: 0,
      walGeneration: 0,
      endUnit: FIRST_UNIT,
      catalog: undefined,
      freeList: undefined,
    }
    await writeSuperblock(file, empty, checksum)
    await writeSuperblock(file, { ...empty, sequence: 2 }, checksum)
  } finally {
    await file.close()
  }
  await fileSystem.rename(NEW_DATA_FILE, DATA_FILE)
  await fileSystem.flushDirectory()
}
