/**
 * Gets everything that can be read out of the files of a damaged store, and says what could not be. Changes
 * nothing in them. `docs/format.md`, "Salvage".
 *
 * First the tree comes, then the commits of the logs that follow it, in the order of their LSNs. Where commits
 * are missing in between, the later ones come all the same: they are whole, and newer than anything before.
 */

import type { File, FileSystem } from '../files/file-system.ts'
import { bytesEqual } from './bytes.ts'
import type { Checksum } from './checksum.ts'
import { DATA_FILE, walFileName, walGenerationOf } from './format.ts'
import { findTree, type TreeSearch } from './salvage-catalog.ts'
import { type DamagedLog, openDamagedLog, salvageLog } from './salvage-log.ts'
import { salvageOrphans } from './salvage-orphans.ts'
import type { SalvagedPart, SalvageStoreOptions, StoreLoss } from './salvage-part.ts'
import { salvageTable } from './salvage-tree.ts'
import { notADatabase, type Superblock } from './superblock.ts'

/**
 * Errors: `database_locked`, `not_a_database` (nothing in the files was ever a store), `format_too_new`,
 * `read_only`.
 */
export async function* salvageStore(
  fileSystem: FileSystem,
  checksum: Checksum,
  options: SalvageStoreOptions = {},
): AsyncGenerator<SalvagedPart, void, undefined> {
  const lock = await fileSystem.lock()
  const files: File[] = []
  try {
    const data = await fileSystem.open(DATA_FILE, { create: false })
    if (data !== undefined) files.push(data)
    const generations = (await fileSystem.list())
      .map(walGenerationOf)
      .filter((generation) => generation !== undefined)
      .sort((a, b) => a - b)
    const logs: DamagedLog[] = []
    for (const generation of generations) {
      const file = await fileSystem.open(walFileName(generation), { create: false })
      if (file === undefined) continue
      files.push(file)
      logs.push(await openDamagedLog(file, generation, checksum))
    }
    yield* new StoreSalvage(data, logs, checksum, options).run()
  } finally {
    for (const file of files) await file.close().catch(() => {})
    await lock.release()
  }
}

class StoreSalvage {
  readonly #data: File | undefined
  readonly #logs: readonly DamagedLog[]
  readonly #checksum: Checksum
  readonly #wants: (table: string) => boolean
  readonly #onProgress: NonNullable<SalvageStoreOptions['onProgress']>
  readonly #totalBytes: number
  #doneBytes = 0
  /** Undefined: nobody says which state the tree is of. */
  #lastLsn: number | undefined = 0
  #hasFound = false

  constructor(
    data: File | undefined,
    logs: readonly DamagedLog[],
    checksum: Checksum,
    { wants = () => true, onProgress = () => {} }: SalvageStoreOptions,
  ) {
    this.#data = data
    this.#logs = logs
    this.#checksum = checksum
    this.#wants = wants
    this.#onProgress = onProgress
    this.#totalBytes = [data, ...logs.map(({ file }) => file)].reduce(
      (sum, file) => sum + (file?.size() ?? 0),
      0,
    )
  }

  async *run(): AsyncGenerator<SalvagedPart, void, undefined> {
    const search = await this.#search()
    const { tree, superblock } = search
    // If nothing is found either, not one part of it was ever written by a store.
    const isNone = tree === undefined && superblock === undefined
    const losses = [...search.losses]
    for await (const part of this.#parts(search)) {
      for (const loss of losses.splice(0)) yield { kind: 'loss', loss }
      yield part
    }
    if (isNone && !this.#hasFound) throw notADatabase()
    for (const loss of losses) yield { kind: 'loss', loss }
    const requiredLsn = superblock?.requiredLsn ?? 0
    const lastLsn = this.#lastLsn ?? 0
    if (requiredLsn > lastLsn) {
      const name = this.#logs.at(-1)?.file.name ?? DATA_FILE
      yield lostCommits(name, 0, lastLsn + 1, requiredLsn)
    }
    this.#onProgress({ done: this.#totalBytes, total: this.#totalBytes })
  }

  async *#parts({ tree, superblock }: TreeSearch): AsyncGenerator<SalvagedPart, void, undefined> {
    if (tree !== undefined) {
      this.#hasFound = true
      this.#lastLsn = tree.checkpointLsn
      const tables = [...tree.tables].sort(([a], [b]) => (a < b ? -1 : 1))
      for (const [table, { root }] of tables) {
        if (root === undefined || !this.#wants(table)) continue
        yield* salvageTable(tree.pages, table, root, (bytes) => this.#advance(bytes))
      }
    } else if (this.#data !== undefined) {
      this.#lastLsn = superblock?.checkpointLsn
      for await (const part of salvageOrphans(this.#data, this.#checksum)) {
        this.#hasFound = true
        yield part
      }
    }
    const storeId = tree?.pages.storeId ?? superblock?.storeId
    const own = this.#logs.filter(({ header }) => isOf(header?.storeId, storeId))
    for (const log of this.#logs) {
      if (own.includes(log)) yield* this.#salvageLog(log, endOf(log, own, superblock))
      else yield foreign(log.file.name)
    }
  }

  async #search(): Promise<TreeSearch> {
    if (this.#data !== undefined) return findTree(this.#data, this.#checksum)
    const message = `${DATA_FILE} is missing: all that is left is in the log`
    const loss: StoreLoss = { what: 'tables', file: DATA_FILE, offset: 0, message }
    return { tree: undefined, superblock: undefined, losses: [loss] }
  }

  async *#salvageLog(
    log: DamagedLog,
    endLsn: number,
  ): AsyncGenerator<SalvagedPart, void, undefined> {
    const { file } = log
    let damagedAt: number | undefined
    const damages: StoreLoss[] = []
    const onDamage = (offset: number, what: string): void => {
      damagedAt ??= offset
      const message = `${file.name} is damaged at offset ${offset}: ${what}`
      damages.push({ what: 'commits', file: file.name, offset, message })
    }
    for await (const { lsn, changes } of salvageLog(log, this.#checksum, onDamage)) {
      this.#hasFound = true
      // What the tree, or an earlier log, has already.
      const lastLsn = this.#lastLsn ?? lsn - 1
      if (lsn <= lastLsn || lsn >= endLsn) continue
      for (const loss of damages.splice(0)) yield { kind: 'loss', loss }
      if (lsn > lastLsn + 1) yield lostCommits(file.name, damagedAt ?? 0, lastLsn + 1, lsn - 1)
      this.#lastLsn = lsn
      yield { kind: 'commit', lsn, changes }
    }
    for (const loss of damages) yield { kind: 'loss', loss }
    this.#advance(file.size())
  }

  #advance(bytes: number): void {
    // The same bytes may be read twice.
    this.#doneBytes = Math.min(this.#doneBytes + bytes, this.#totalBytes)
    this.#onProgress({ done: this.#doneBytes, total: this.#totalBytes })
  }
}

/**
 * The LSN from which on the commits of a log do not count: a later log begins there. A log that was to be
 * removed may have come back, with commits that nobody was promised and whose LSNs were given again.
 */
function endOf(
  log: DamagedLog,
  logs: readonly DamagedLog[],
  superblock: Superblock | undefined,
): number {
  let end = Number.POSITIVE_INFINITY
  for (const { generation, header } of logs) {
    if (generation > log.generation) end = Math.min(end, header?.firstLsn ?? end)
  }
  if (superblock === undefined) return end
  const { sealed, walGeneration, checkpointLsn } = superblock
  const isNeeded = sealed ? log.generation > walGeneration : log.generation >= walGeneration
  return isNeeded ? end : Math.min(end, checkpointLsn + 1)
}

/** What cannot be read is not held against it. Of the known id only the first bytes may be known. */
function isOf(storeId: Uint8Array | undefined, known: Uint8Array | undefined): boolean {
  if (storeId === undefined || known === undefined) return true
  return bytesEqual(storeId.subarray(0, known.length), known)
}

function foreign(file: string): SalvagedPart {
  const message = `${file} belongs to another store: it is left out`
  return { kind: 'loss', loss: { what: 'commits', file, offset: 0, message } }
}

function lostCommits(file: string, offset: number, from: number, to: number): SalvagedPart {
  const which = from === to ? `commit ${from} is` : `commits ${from} to ${to} are`
  const message = `${which} lost; what follows is used without ${from === to ? 'it' : 'them'}`
  return { kind: 'loss', loss: { what: 'commits', file, offset, message } }
}
