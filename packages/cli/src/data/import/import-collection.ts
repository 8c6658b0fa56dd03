/**
 * Imports records into a collection, a bounded number in each transaction. Each transaction also says how far
 * the import is (`import-state.ts`): one that was broken off goes on there, and imports every record once.
 */
import { type EncodedPutOutcome, type OnConflict, putEncodedEntity } from '@entidb/core/tools'
import type { DataFormat } from '../data-format.ts'
import {
  INPUT_START,
  type InputPlace,
  type InputPosition,
  type InputRecord,
  type RecordReader,
} from '../input/input-record.ts'
import type { ImportSource } from './import-source.ts'
import {
  type ImportState,
  importUnfinished,
  readImportState,
  writeImportState,
} from './import-state.ts'
import { locatingErrors } from './locating-errors.ts'
import { PrefixFingerprint } from './prefix-fingerprint.ts'

/** An open EntiDB: of an application, or as `openStored` opens it. */
export interface ImportDatabase {
  transaction<R>(run: (tx: object) => R | Promise<R>): Promise<R>
}

/** How an import goes about it. */
export interface ImportOptions {
  /** Of the source; an import that is taken up again has to be of the same. */
  readonly format: DataFormat
  /** Of that format: `readNdjson`, `readJsonArray`, `readCborSequence`, or what `csvReader` answers. */
  readonly read: RecordReader
  /** What becomes of a record whose id is in the collection already. */
  readonly onConflict: OnConflict
  /** Records in a transaction, at most. It has not many more bytes than `BATCH_BYTES`, too. */
  readonly batchRecords: number
  /** Forgets an import that is not finished. Default false. */
  readonly restart?: boolean
  /** Rolls every transaction back. Default false. */
  readonly dryRun?: boolean
  /** Called first with where it begins, then whenever more is durable. */
  readonly onProgress?: (done: InputPosition) => void
  /** Ends it, between two transactions, with the signal's reason. */
  readonly signal?: AbortSignal
}

/** What an import has done. */
export interface ImportReport {
  /** Behind the last record; what earlier, broken-off runs did included. */
  readonly done: InputPosition
  /** Where this run began. */
  readonly start: InputPosition
  /** What this run did, by outcome. */
  readonly outcomes: Readonly<Record<EncodedPutOutcome, number>>
}

const BATCH_BYTES = 4 * 1024 * 1024

/**
 * The records are stored as local edits: they go into the change feed and to sync.
 *
 * Errors: `import_unfinished`; for a record `invalid_input` and those of `putEncodedEntity`, with `file`, `offset`
 * and `line` in their details; `unknown_collection`; those of a commit. What was done before stays done.
 */
export async function importCollection(
  db: ImportDatabase,
  collection: string,
  source: ImportSource,
  options: ImportOptions,
): Promise<ImportReport> {
  const state = await db.transaction((tx) => readImportState(tx, collection))
  const known = options.restart === true ? undefined : state
  if (known !== undefined && known.format !== options.format) {
    throw importUnfinished(collection, known, source.path)
  }
  const run = new ImportRun(db, collection, source, options, state !== undefined)
  return await run.from(known)
}

class ImportRun {
  readonly #db: ImportDatabase
  readonly #collection: string
  readonly #source: ImportSource
  readonly #options: ImportOptions
  readonly #fingerprint = new PrefixFingerprint()
  readonly #outcomes = { inserted: 0, replaced: 0, unchanged: 0, skipped: 0 }
  /** Is there a row that says how far it is? */
  #hasState: boolean
  #done = INPUT_START

  constructor(
    db: ImportDatabase,
    collection: string,
    source: ImportSource,
    options: ImportOptions,
    hasState: boolean,
  ) {
    this.#db = db
    this.#collection = collection
    this.#source = source
    this.#options = options
    this.#hasState = hasState
  }

  async from(known: ImportState | undefined): Promise<ImportReport> {
    const { read, signal, onProgress, batchRecords } = this.#options
    const start = known ?? INPUT_START
    this.#done = start
    onProgress?.(start)
    const records = read(this.#chunks(known), start)
    try {
      let batch: InputRecord[] = []
      for (;;) {
        const { value: record } = await this.#located(undefined, () => records.next())
        if (record === undefined) break
        batch.push(record)
        const bytes = record.end.bytes - this.#done.bytes
        if (batch.length < batchRecords && bytes < BATCH_BYTES) continue
        await this.#commit(batch, { isLast: false })
        batch = []
        signal?.throwIfAborted()
      }
      await this.#commit(batch, { isLast: true })
    } finally {
      await records.return()
    }
    const { bytes, lines, records: count } = this.#done
    return { done: { bytes, lines, records: count }, start, outcomes: this.#outcomes }
  }

  /** The input, after what is known of it was found to be its beginning. */
  async *#chunks(known: ImportState | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    const knownBytes = known?.bytes ?? 0
    let isKnown = knownBytes === 0
    for await (const chunk of this.#source.chunks()) {
      this.#fingerprint.add(chunk)
      if (!isKnown) {
        this.#fingerprint.advanceTo(knownBytes)
        isKnown = this.#fingerprint.readBytes >= knownBytes
        if (isKnown) this.#assertBeginning(known)
      }
      yield chunk
    }
    if (!isKnown) this.#assertBeginning(known)
  }

  #assertBeginning(known: ImportState | undefined): void {
    if (known === undefined || this.#fingerprint.digest() === known.sha256) return
    throw importUnfinished(this.#collection, known, this.#source.path)
  }

  async #commit(
    batch: readonly InputRecord[],
    { isLast }: { readonly isLast: boolean },
  ): Promise<void> {
    const done = batch.at(-1)?.end ?? this.#done
    const outcomes: EncodedPutOutcome[] = []
    if (batch.length > 0 || this.#hasState) {
      await this.#transact(async (tx) => {
        for (const record of batch) outcomes.push(await this.#put(tx, record))
        const state = isLast ? undefined : this.#stateAt(done)
        if (state !== undefined || this.#hasState) {
          await writeImportState(tx, this.#collection, state)
        }
      })
    }
    this.#hasState = !isLast
    for (const outcome of outcomes) this.#outcomes[outcome]++
    this.#done = done
    this.#options.onProgress?.(done)
  }

  #stateAt({ bytes, lines, records }: InputPosition): ImportState {
    this.#fingerprint.advanceTo(bytes)
    return {
      ...{ bytes, lines, records },
      format: this.#options.format,
      sha256: this.#fingerprint.digest(),
    }
  }

  #put(tx: object, { place, encode }: InputRecord): Promise<EncodedPutOutcome> {
    const { onConflict } = this.#options
    return this.#located(place, () =>
      putEncodedEntity(this.#db, tx, this.#collection, encode(), onConflict),
    )
  }

  /** A transaction, undone at its end in a dry run. */
  async #transact(task: (tx: object) => Promise<void>): Promise<void> {
    const undone = new Error('a dry run')
    try {
      await this.#db.transaction(async (tx) => {
        await task(tx)
        if (this.#options.dryRun === true) throw undone
      })
    } catch (error) {
      if (error !== undone) throw error
    }
  }

  #located<T>(place: InputPlace | undefined, work: () => Promise<T>): Promise<T> {
    return locatingErrors(this.#source.path, place, work)
  }
}
