import { createMemoryFileSystem, type FileSystem } from '@entidb/core'

/** A copy of the files of a closed database, as a backup program makes it. */
export async function copyFiles(from: FileSystem): Promise<FileSystem> {
  const to = createMemoryFileSystem('copy')
  for (const name of await from.list()) {
    const source = await from.open(name, { create: false })
    const target = await to.open(name, { create: true })
    if (source === undefined || target === undefined) continue
    const bytes = new Uint8Array(source.size())
    await source.readAt(0, bytes)
    await target.writeAt(0, bytes)
    await target.flush()
    await source.close()
    await target.close()
  }
  await to.flushDirectory()
  return to
}
