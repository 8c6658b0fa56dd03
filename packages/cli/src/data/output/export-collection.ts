/** Exports a collection: the answers to a query, from one state, in a format. */
import type { ByteSink, CollectionReader, Entity } from '@entidb/core'
import { type FormatOptions, formatRows } from './row-format.ts'
import { type RowQuery, storedRows } from './stored-rows.ts'
import { writePieces } from './write-pieces.ts'

/** What is exported, and how. */
export interface ExportOptions extends FormatOptions {
  /** `{}`: everything, by id. */
  readonly query: RowQuery
  /** Entities written so far. */
  readonly onProgress?: (entities: number) => void
  /** Ends it with the signal's reason. */
  readonly signal?: AbortSignal
}

/** What was written. */
export interface ExportReport {
  readonly entities: number
  readonly bytes: number
  /** By the version of the collection's shape that they were written in: how many. */
  readonly schemaVersions: Readonly<Record<string, number>>
}

/**
 * `reader` is of a snapshot: of a database the answers to CSV, which are gone through twice, might change in
 * between. The sink is closed at the end, or aborted. Errors: `invalid_query`, and those of the sink.
 */
export async function exportCollection<T extends Entity>(
  reader: CollectionReader<T>,
  sink: ByteSink,
  { query, signal, onProgress, ...format }: ExportOptions,
): Promise<ExportReport> {
  let entities = 0
  let counts = new Map<number, number>()
  const rows = async function* () {
    // CSV goes through all of them twice: the last time counts.
    entities = 0
    counts = new Map()
    // The query names fields by their names: it asks the same of a collection of any type.
    const untyped = reader as unknown as CollectionReader
    for await (const { bytes, schemaVersion } of storedRows(untyped, query)) {
      signal?.throwIfAborted()
      yield bytes
      entities++
      counts.set(schemaVersion, (counts.get(schemaVersion) ?? 0) + 1)
      onProgress?.(entities)
    }
  }
  const bytes = await writePieces(formatRows(rows, format), sink)
  return { entities, bytes, schemaVersions: Object.fromEntries(counts) }
}
