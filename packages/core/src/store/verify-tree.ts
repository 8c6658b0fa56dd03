/**
 * Checks the tree that a superblock names, as the file has it: every checksum, the order of keys, that
 * counts and depths are right, and that every unit is used exactly once or free exactly once.
 */
import { isEntiDBError } from '../errors/entidb-error.ts'
import { compareBytes } from './bytes.ts'
import { decodeCatalog } from './catalog.ts'
import { type Extent, UNIT_BYTES, unitsOf } from './extent.ts'
import { extentKinds } from './extent-codec.ts'
import { decodeFreeList } from './free-list.ts'
import type { StoreProblem, StoreVerification } from './key-value-store.ts'
import type { Leaf, NodeRef } from './node.ts'
import type { PageFile } from './page-file.ts'
import { FIRST_UNIT, type Superblock } from './superblock.ts'
import { childPlaces, rootPlace, type TreePlace } from './tree-place.ts'

export interface VerifyTreeOptions {
  /** Called between steps; awaited, so that others can run. */
  readonly step: (doneUnits: number, units: number) => Promise<void>
}

/** A damaged file has a problem in every place; whoever reads the report needs some of them. */
const PROBLEMS_MAX = 1000
const STEP_UNITS = 256

export async function verifyTree(
  pages: PageFile,
  superblock: Superblock,
  options: VerifyTreeOptions,
): Promise<StoreVerification> {
  return new TreeVerifier(pages, superblock, options).run()
}

class TreeVerifier {
  readonly #pages: PageFile
  readonly #superblock: Superblock
  readonly #options: VerifyTreeOptions
  readonly #problems: StoreProblem[] = []
  /** How often each unit is used; 2 stands for any more. */
  readonly #uses: Uint8Array
  #table: string | undefined
  #extents = 0
  #bytes = 0
  #entries = 0
  #doneUnits = 0
  #stepUnits = 0
  /** A node could not be read: what is below it is missed everywhere else. */
  #isIncomplete = false

  constructor(pages: PageFile, superblock: Superblock, options: VerifyTreeOptions) {
    this.#pages = pages
    this.#superblock = superblock
    this.#options = options
    this.#uses = new Uint8Array(superblock.endUnit)
  }

  async run(): Promise<StoreVerification> {
    const { catalog, freeList } = this.#superblock
    this.#uses.fill(1, 0, FIRST_UNIT)
    if (catalog !== undefined) await this.#verifyCatalog(catalog)
    this.#table = undefined
    if (freeList !== undefined) await this.#verifyFreeList(freeList)
    this.#verifyUses()
    await this.#options.step(this.#superblock.endUnit, this.#superblock.endUnit)
    const checked = { extents: this.#extents, bytes: this.#bytes, entries: this.#entries }
    return { problems: this.#problems, checked }
  }

  async #verifyCatalog(catalog: Extent): Promise<void> {
    const tables = await this.#reading(catalog, async () => {
      const { payload, count } = await this.#pages.read(catalog, [extentKinds.catalog])
      return decodeCatalog(payload, count)
    })
    for (const [name, { root, count }] of tables ?? []) {
      this.#table = name
      const wasIncomplete = this.#isIncomplete
      this.#isIncomplete = false
      const found = root === undefined ? 0 : await this.#verifyTable(root)
      if (!this.#isIncomplete && found !== count) {
        this.#report(catalog, `${name} has ${found} entries and says ${count}`)
      }
      this.#isIncomplete ||= wasIncomplete
    }
  }

  /** Answers the number of entries found. */
  async #verifyTable(root: NodeRef): Promise<number> {
    const waiting: TreePlace[] = [rootPlace(root)]
    const before = this.#entries
    let leafDepth: number | undefined
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { extent } = next.ref
      if (extent === undefined) continue
      if (this.#isUsed(extent)) {
        // Followed again, references that lead back would never end.
        this.#report(extent, 'a node is used more than once')
        this.#isIncomplete = true
        continue
      }
      const node = await this.#reading(extent, async () => this.#pages.readNode(extent))
      if (node === undefined) continue
      if (node.size === 0) this.#report(extent, 'a node is empty')
      if (node.kind === 'branch') {
        this.#verifyKeys(extent, node.separators, next)
        waiting.push(...childPlaces(node, next))
        continue
      }
      leafDepth ??= next.depth
      if (leafDepth !== next.depth) this.#report(extent, 'a leaf is not as deep as the others')
      this.#verifyKeys(extent, node.entries, next)
      await this.#verifyLargeValues(node)
      this.#entries += node.size
    }
    return this.#entries - before
  }

  #verifyKeys(extent: Extent, keys: Leaf['entries'], { low, high }: TreePlace): void {
    for (let i = 0; i < keys.count; i++) {
      const key = keys.keyAt(i)
      const isAboveLow = i > 0 || low === undefined || compareBytes(low, key) <= 0
      const isInOrder = i === 0 || compareBytes(keys.keyAt(i - 1), key) < 0
      const isBelowHigh = high === undefined || compareBytes(key, high) < 0
      if (!isAboveLow || !isInOrder || !isBelowHigh)
        this.#report(extent, 'a key is out of order', key)
    }
  }

  async #verifyLargeValues({ entries, large }: Leaf): Promise<void> {
    for (const [i, value] of (large ?? []).entries()) {
      const extent = value?.extent
      if (extent === undefined) continue
      const key = entries.keyAt(i)
      await this.#reading(extent, async () => this.#pages.read(extent, [extentKinds.value]), key)
    }
  }

  async #verifyFreeList(freeList: Extent): Promise<void> {
    const runs = await this.#reading(freeList, async () => {
      const { payload, count } = await this.#pages.read(freeList, [extentKinds.freeList])
      return decodeFreeList(payload, count)
    })
    for (const [start, size] of runs ?? []) this.#use(start, size)
    if (runs === undefined) this.#isIncomplete = true
  }

  /** After damage it is not known who uses what. */
  #verifyUses(): void {
    if (this.#isIncomplete) return
    for (let unit = 0; unit < this.#uses.length; unit++) {
      if (this.#uses[unit] === 1) continue
      const start = unit
      const uses = this.#uses[start]
      while (unit + 1 < this.#uses.length && this.#uses[unit + 1] === uses) unit++
      const what = uses === 0 ? 'neither used nor free' : 'used more than once, or used and free'
      this.#report({ start, bytes: 0 }, `units ${start} to ${unit} are ${what}`)
    }
  }

  /** Counts the extent as used, and reports it when it cannot be read. */
  async #reading<T>(
    extent: Extent,
    read: () => Promise<T>,
    key?: Uint8Array,
  ): Promise<T | undefined> {
    this.#use(extent.start, unitsOf(extent.bytes))
    this.#extents++
    this.#bytes += extent.bytes
    await this.#advance(unitsOf(extent.bytes))
    try {
      return await read()
    } catch (error) {
      if (!isEntiDBError(error, 'corrupt') && !isEntiDBError(error, 'io_failed')) throw error
      this.#isIncomplete = true
      this.#report(extent, error.message, key)
      return undefined
    }
  }

  #isUsed({ start }: Extent): boolean {
    return (this.#uses[start] ?? 0) > 0
  }

  #use(start: number, units: number): void {
    if (start + units > this.#uses.length) {
      this.#report({ start, bytes: 0 }, 'lies behind the end of the used space')
      return
    }
    for (let unit = start; unit < start + units; unit++) {
      this.#uses[unit] = this.#uses[unit] === 0 ? 1 : 2
    }
  }

  async #advance(units: number): Promise<void> {
    this.#doneUnits += units
    this.#stepUnits += units
    if (this.#stepUnits < STEP_UNITS) return
    this.#stepUnits = 0
    await this.#options.step(this.#doneUnits, this.#superblock.endUnit)
  }

  #report({ start }: Extent, message: string, key?: Uint8Array): void {
    if (this.#problems.length >= PROBLEMS_MAX) return
    this.#problems.push({
      code: 'corrupt',
      file: this.#pages.file.name,
      offset: start * UNIT_BYTES,
      message,
      ...(this.#table === undefined ? {} : { table: this.#table }),
      ...(key === undefined ? {} : { key }),
    })
  }
}
