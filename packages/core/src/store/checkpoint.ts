/**
 * Writes the state of one commit to the data file and makes a superblock name it.
 *
 * Order, which is what makes it safe: new extents to free space, flush; one superblock, flush; then
 * the other, flush. What the old superblocks reach is not reused before both are replaced.
 */
import { assertInvariant } from '../errors/assert.ts'
import { encodeCatalog, type NamedTable } from './catalog.ts'
import type { Checksum } from './checksum.ts'
import { type Extent, UNIT_BYTES, unitsOf } from './extent.ts'
import { extentKinds } from './extent-codec.ts'
import { ExtentWriter } from './extent-writer.ts'
import { encodeFreeList, freeListBytes } from './free-list.ts'
import type { LargeValue, NodeRef, Stored } from './node.ts'
import { encodeNode } from './node-codec.ts'
import type { Pace } from './pace.ts'
import type { PageFile } from './page-file.ts'
import type { RetiredSpace } from './retired-space.ts'
import { pause, type Scheduler } from './scheduler.ts'
import type { SpaceMap } from './space.ts'
import { type Superblock, writeSuperblock } from './superblock.ts'

/** What looking into a node of a dropped tree counts as. */
const RETIRED_NODE_BYTES = 8 * 1024
/** Of those that were written, so many are noted at a time. */
const NOTED_NODES = 1024
/** Most nodes fit. */
const SCRATCH_BYTES = 16 * 1024

export interface CheckpointerOptions {
  readonly pages: PageFile
  readonly space: SpaceMap
  readonly retired: RetiredSpace
  readonly superblock: Superblock
  readonly checksum: Checksum
  readonly scheduler: Scheduler
}

/** A complete tree in the file, not yet named by a superblock. */
export interface WrittenTree {
  readonly checkpointLsn: number
  readonly endUnit: number
  readonly catalog: Extent | undefined
  readonly freeList: Extent | undefined
}

export interface LogPlace {
  readonly sealed: boolean
  readonly walGeneration: number
  readonly requiredLsn: number
}

export class Checkpointer {
  readonly #options: CheckpointerOptions
  #superblock: Superblock
  /** In memory and written, but not flushed yet; some of them by a checkpoint that found no space. */
  #unflushed: (NodeRef | LargeValue)[] = []
  #nodesWritten: number | undefined
  /** Nodes are encoded here, one after the other. */
  readonly #scratch = new Uint8Array(SCRATCH_BYTES)

  constructor(options: CheckpointerOptions) {
    this.#options = options
    this.#superblock = options.superblock
  }

  /** While nodes are being written: how many have been. */
  get nodesWritten(): number | undefined {
    return this.#nodesWritten
  }

  /** The last one written. */
  get superblock(): Superblock {
    return this.#superblock
  }

  /** Writes what of `tables`, the state of `lsn`, is not in the file yet; durable when it resolves. */
  async writeTree(tables: readonly NamedTable[], lsn: number, pace: Pace): Promise<WrittenTree> {
    if (lsn === this.#superblock.checkpointLsn) return this.#superblock
    const { pages, space, retired, checksum, scheduler } = this.#options
    const writer = new ExtentWriter(pages, space, checksum, pace)
    const catalog: Stored = { extent: undefined }
    const freeList: Stored = { extent: undefined }
    try {
      this.#nodesWritten = 0
      for (const [, { root }] of tables) {
        if (root !== undefined) await this.#writeNodes(root, writer)
      }
      const filled = tables.filter(([, { root }]) => root !== undefined)
      if (filled.length > 0) {
        await writer.add(catalog, extentKinds.catalog, filled.length, encodeCatalog(filled, lsn))
      }
      await retired.resolveTrees(
        lsn,
        (extent) => pages.readNode(extent),
        async () => pace.did(RETIRED_NODE_BYTES),
      )
      space.trim()
      await pause(scheduler)
      await this.#writeFreeList(freeList, lsn, writer)
      await writer.flush()
    } catch (error) {
      writer.abandon()
      this.#unflushed = this.#unflushed.filter(({ extent }) => extent !== undefined)
      for (const { extent } of [catalog, freeList]) {
        if (extent !== undefined) space.free(extent.start, unitsOf(extent.bytes))
      }
      throw error
    } finally {
      this.#nodesWritten = undefined
    }
    await pages.flush()
    const { endUnit } = space
    // Not before: what a failed flush lost must not be read back.
    await this.#noteFlushed(pace)
    return { checkpointLsn: lsn, endUnit, catalog: catalog.extent, freeList: freeList.extent }
  }

  /**
   * Gives back what lies behind the used space, when that is more than `slackBytes`; only when both
   * superblocks say so.
   */
  async cutFile(slackBytes: number): Promise<void> {
    const { file } = this.#options.pages
    const bytes = this.#superblock.endUnit * UNIT_BYTES
    if (file.size() > bytes + slackBytes) await file.truncate(bytes)
  }

  /**
   * Makes `tree` what is found at the next open; durable when it resolves. `step` is odd, so that it goes
   * to the other slot.
   */
  async writeSuperblock(tree: WrittenTree, log: LogPlace, step = 1): Promise<void> {
    const next: Superblock = {
      storeId: this.#superblock.storeId,
      sequence: this.#superblock.sequence + step,
      sealed: log.sealed,
      checkpointLsn: tree.checkpointLsn,
      requiredLsn: log.requiredLsn,
      walGeneration: log.walGeneration,
      endUnit: tree.endUnit,
      catalog: tree.catalog,
      freeList: tree.freeList,
    }
    await writeSuperblock(this.#options.pages.file, next, this.#options.checksum)
    this.#retireReplaced(next)
    this.#superblock = next
  }

  /** The catalog and free list of the superblock before are garbage once this one counts. */
  #retireReplaced(next: Superblock): void {
    const { catalog, freeList, checkpointLsn } = this.#superblock
    if (next.checkpointLsn === checkpointLsn) return
    const replaced = [{ extent: catalog }, { extent: freeList }]
    this.#options.retired.add(next.checkpointLsn, replaced, [], undefined)
  }

  async #noteFlushed(pace: Pace): Promise<void> {
    const flushed = this.#unflushed
    this.#unflushed = []
    for (let from = 0; from < flushed.length; from += NOTED_NODES) {
      const noted = flushed.slice(from, from + NOTED_NODES)
      this.#options.pages.noteFlushed(noted)
      await pace.lookedAt(noted.length)
    }
  }

  /** Children before parents: a parent holds the places of its children. */
  async #writeNodes(ref: NodeRef, writer: ExtentWriter): Promise<void> {
    if (ref.extent !== undefined) return
    const node = ref.node
    assertInvariant(node !== undefined, 'what is not in the file is in memory')
    if (node.kind === 'branch') {
      for (const child of node.children) {
        if (child.extent === undefined) await this.#writeNodes(child, writer)
      }
    } else {
      for (const value of node.large ?? []) {
        if (value === undefined || value.extent !== undefined) continue
        assertInvariant(value.bytes !== undefined, 'what is not in the file is in memory')
        const waiting = writer.addValue(value, value.bytes)
        if (waiting !== undefined) await waiting
        this.#unflushed.push(value)
      }
    }
    const bytes = encodeNode(node, this.#scratch)
    const waiting = writer.add(ref, extentKinds[node.kind], node.size, bytes)
    node.trim()
    this.#unflushed.push(ref)
    if (this.#nodesWritten !== undefined) this.#nodesWritten++
    if (waiting !== undefined) await waiting
  }

  async #writeFreeList(place: Stored, lsn: number, writer: ExtentWriter): Promise<void> {
    const space = this.#spaceAfter(lsn)
    // Taking its own extent may cut one run in two.
    const bytes = freeListBytes(space.runCount + 1)
    const extent = writer.place(place, bytes)
    space.take(extent)
    await pause(this.#options.scheduler)
    const encoded = encodeFreeList(space, bytes)
    await writer.write(place, extent, extentKinds.freeList, space.runCount, encoded)
  }

  /** What is free once the superblock of `lsn` is the only one. */
  #spaceAfter(lsn: number): SpaceMap {
    const { catalog, freeList } = this.#superblock
    const extents = this.#options.retired.extentsUpTo(lsn)
    for (const extent of [catalog, freeList]) if (extent !== undefined) extents.push(extent)
    const space = this.#options.space.copy()
    space.freeAll(extents)
    return space
  }
}
