/**
 * Deliberate bugs, as replacements of text in the product's sources. Each must be noticed by the
 * checks. A text that is not there exactly once is stale: the bug has to be put into the present code.
 */
import type { CheckName } from './checks.test-kit.ts'

export interface Mutant {
  readonly name: string
  /** The check that has to fail. */
  readonly noticedBy: CheckName
  /** In `packages/core/src/store`. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

export const mutants: readonly Mutant[] = [
  {
    name: 'the log is not flushed',
    noticedBy: 'crash, commits',
    file: 'wal-writer.ts',
    find: `          if (!(isAlone && file.flushSync())) await file.flush()
        } catch (error) {
          this.#fail(error, group)
          return
        }`,
    replace: '        } catch {}',
  },
  {
    name: 'a commit is acknowledged before it is flushed',
    noticedBy: 'crash, commits',
    file: 'wal-writer.ts',
    find: `      if (this.#options.durability === 'strict') {
        try {`,
    replace: `      if (this.#options.durability === 'strict') {
        for (const commit of group) commit.resolve()
        try {`,
  },
  {
    name: 'after a failed flush everything goes on',
    noticedBy: 'failing disk',
    file: 'wal-writer.ts',
    find: `          if (!(isAlone && file.flushSync())) await file.flush()
        } catch (error) {
          this.#fail(error, group)
          return
        }`,
    replace: `          await file.flush()
        } catch {}`,
  },
  {
    name: 'commits of a group become visible in the wrong order',
    noticedBy: 'crash, commits',
    file: 'wal-writer.ts',
    find: `    for (const commit of group) {
      commit.apply()`,
    replace: `    for (const commit of [...group].reverse()) {
      commit.apply()`,
  },
  {
    name: 'the old log is not flushed before the new one is used',
    noticedBy: 'crash, relaxed checkpoints',
    file: 'wal-writer.ts',
    find: `      await this.#flushNow()
      await next.file.start`,
    replace: '      await next.file.start',
  },
  {
    name: 'the header of a log is not flushed',
    noticedBy: 'crash, commits',
    file: 'wal-file.ts',
    find: `    await this.#file.writeAt(0, encodeWalHeader(header, checksum))
    await this.#file.flush()`,
    replace: '    await this.#file.writeAt(0, encodeWalHeader(header, checksum))',
  },
  {
    name: 'a frame that found no space is left where it is',
    noticedBy: 'full disk',
    file: 'wal-file.ts',
    find: '    await writeZeros(this.#file, this.#tail, end)\n',
    replace: '',
  },
  {
    name: 'commits that were refused for lack of space are built on',
    noticedBy: 'full disk',
    file: 'tree-store.ts',
    find: `    this.#setbacks++
    this.#working = this.#visible`,
    replace: '    this.#setbacks++',
  },
  {
    name: 'the directory of a new log is not flushed',
    noticedBy: 'crash, commits',
    file: 'wal-directory.ts',
    find: '    await fileSystem.flushDirectory()\n',
    replace: '',
  },
  {
    name: 'the superblock is flushed together with the pages it names',
    noticedBy: 'crash, checkpoints',
    file: 'checkpoint.ts',
    find: '    await pages.flush()\n    const { endUnit }',
    replace: '    const { endUnit }',
  },
  {
    name: 'every superblock goes to the same slot',
    noticedBy: 'crash, commits',
    file: 'superblock.ts',
    find: '  const offset = (superblock.sequence % 2) * SLOT_BYTES',
    replace: '  const offset = 0',
  },
  {
    name: 'the older superblock counts',
    noticedBy: 'crash, checkpoints',
    file: 'superblock.ts',
    find: '.sort((a, b) => b.sequence - a.sequence)',
    replace: '.sort((a, b) => a.sequence - b.sequence)',
  },
  {
    name: 'the superblock is not repeated in the other slot',
    noticedBy: 'bit rot',
    file: 'tree-store.ts',
    find: `      await this.#checkpointer.writeSuperblock(tree, log)
      await this.#checkpointer.writeSuperblock(tree, log)`,
    replace: '      await this.#checkpointer.writeSuperblock(tree, log)',
  },
  {
    name: 'logs are removed before the superblock that does not need them',
    noticedBy: 'crash, checkpoints',
    file: 'tree-store.ts',
    find: `    try {
      await this.#checkpointer.writeSuperblock(tree, log)`,
    replace: `    try {
      await removeWalsBelow(this.#fileSystem, log.walGeneration)
      await this.#checkpointer.writeSuperblock(tree, log)`,
  },
  {
    name: 'space of the old tree is used before the superblocks name the new one',
    noticedBy: 'crash, checkpoints',
    file: 'tree-store.ts',
    find: `      this.#writingLsn = head.lsn
      this.#releaseSpace(this.#checkpointer.superblock.checkpointLsn)`,
    replace: `      this.#writingLsn = head.lsn
      this.#releaseSpace(head.lsn)`,
  },
  {
    name: 'space that a snapshot needs is used again',
    noticedBy: 'crash, snapshots',
    file: 'tree-store.ts',
    find: 'this.#snapshots.oldestLsn()',
    replace: 'Number.POSITIVE_INFINITY',
  },
  {
    name: 'opening trusts the name of the data file before it is flushed',
    noticedBy: 'crash, commits',
    file: 'start-log.ts',
    find: '  if (superblock.walGeneration === 0) await fileSystem.flushDirectory()\n',
    replace: '',
  },
  {
    name: 'opening trusts a superblock that is not flushed',
    noticedBy: 'crash, closing',
    file: 'start-log.ts',
    find: `  await pages.file.flush()
  // A flush that failed before may have lost it, and this one report success all the same: the next number
  // would tell an opener that it is durable.
  await checkpointer.writeSuperblock(superblock, superblock, wasClosedCleanly ? 1 : 3)
`,
    replace: '',
  },
  {
    name: 'the free list misses a run',
    noticedBy: 'crash, checkpoints',
    file: 'checkpoint.ts',
    find: '    space.freeAll(extents)\n',
    replace: '    space.freeAll(extents.slice(1))\n',
  },
  {
    name: 'a run that joins the one before it is lost',
    noticedBy: 'crash, checkpoints',
    file: 'space.ts',
    find: '      this.#resize(last, this.#size(last) + size)\n',
    replace: '',
  },
  {
    name: 'a bad checksum of an extent is accepted',
    noticedBy: 'bit rot',
    file: 'extent-codec.ts',
    find: '  if (checksum(bytes.subarray(0, 20), payloadChecksum) !== uint32At(bytes, 20)) {',
    replace: '  if (payloadChecksum < 0) {',
  },
  {
    name: 'a bad checksum of a frame is accepted',
    noticedBy: 'bit rot',
    file: 'wal-reader.ts',
    find: '    if (this.#checksum(payload) !== header.payloadChecksum) return this.#endAtTail()\n',
    replace: '',
  },
  {
    name: 'a bad checksum of a superblock is accepted',
    noticedBy: 'bit rot',
    file: 'superblock.ts',
    find: '  if (checksum(bytes.subarray(0, CHECKSUM_OFFSET)) !== expected) return undefined\n',
    replace: '  if (expected < 0) return undefined\n',
  },
  {
    name: 'damage in the middle of a log is cut',
    noticedBy: 'bit rot',
    file: 'wal-reader.ts',
    find: '    if (tail.flushedLsn >= due) throw ',
    replace: '    if (tail.flushedLsn < 0) throw ',
  },
  {
    name: 'a frame is replayed twice',
    noticedBy: 'frame order',
    file: 'wal-reader.ts',
    find: '    if (header.lsn !== this.#lastLsn + 1 || header.commits === 0) {',
    replace: '    if (header.commits === 0) {',
  },
  {
    name: 'the commits of the second log are forgotten',
    noticedBy: 'crash, checkpoints',
    file: 'recovery.ts',
    find: '  for (; present.has(generation); generation++) {',
    replace: '  for (; generation === first && present.has(generation); generation++) {',
  },
  {
    name: 'a log that is already in the tree is replayed again',
    noticedBy: 'crash, closing',
    file: 'recovery.ts',
    find: '  const first = superblock.sealed ? superblock.walGeneration + 1 : superblock.walGeneration',
    replace: '  const first = superblock.walGeneration',
  },
]
