/**
 * Reads rows of a live query as they were right after one commit, from a snapshot that may show later commits
 * too: several become visible at once, and a store may take its time to answer. Which commits a snapshot shows is
 * written in it, as the highest opId; what those after the wanted one changed is taken back, with the records that
 * they found.
 */
import type { CollectionState } from './collection-state.ts'
import { type EntityReader, entityOfRecord } from './entity-reader.ts'
import { type LiveRow, type LiveRows, matcherOf, rowOf } from './live-result.ts'
import { META_KEYS, readMeta } from './meta.ts'
import type { ParsedQuery } from './parsed-query.ts'
import { comparePlaces, type Place } from './place.ts'
import { QueryRun } from './query-run.ts'
import { decodeRecord } from './record.ts'
import type { RecordChanges } from './record-changes.ts'
import type { Steps } from './steps.ts'

export interface RowsWanted {
  readonly state: CollectionState
  readonly query: ParsedQuery
  /** Only rows behind this place. */
  readonly after: Place | undefined
  /** At most so many. */
  readonly rowsMax: number
  /** What the commits after the wanted one changed, up to the one whose highest opId is `through`. */
  readonly changesThrough: (through: number) => RecordChanges
}

/** The highest opId of the commits that the view shows. */
export function* readLastOpId(reader: EntityReader): Steps<number> {
  // A number, written by `EntityWriter.finish`; undefined in a new database.
  return ((yield* readMeta(reader.view, META_KEYS.lastOpId)) as number | undefined) ?? 0
}

export function* readRows(reader: EntityReader, wanted: RowsWanted): Steps<LiveRows> {
  const { state, query, after, rowsMax } = wanted
  const later = wanted.changesThrough(yield* readLastOpId(reader))
  const limit = rowsMax + later.size
  const run = new QueryRun(state, { ...query, limit }, after === undefined ? {} : { after })
  const found = (yield* run.all(reader)).map((entity) => rowOf(entity, query.order))
  const boundary = found.length < limit ? undefined : found.at(-1)?.place
  if (later.size === 0) return { rows: found, boundary }
  const isWithin = ({ place }: LiveRow): boolean =>
    (after === undefined || comparePlaces(place, after, query.order) > 0) &&
    (boundary === undefined || comparePlaces(place, boundary, query.order) <= 0)
  const unchanged = found.filter(({ place }) => !later.has(place.id))
  const before = rowsBefore(later, state, query).filter(isWithin)
  const rows = [...unchanged, ...before]
  rows.sort((a, b) => comparePlaces(a.place, b.place, query.order))
  if (rows.length <= rowsMax) return { rows, boundary }
  const kept = rows.slice(0, rowsMax)
  return { rows: kept, boundary: kept.at(-1)?.place }
}

/** The answers among the entities as they were before the changes. */
function rowsBefore(
  changes: RecordChanges,
  state: CollectionState,
  query: ParsedQuery,
): readonly LiveRow[] {
  const matches = matcherOf(query)
  const rows: LiveRow[] = []
  for (const { id, before } of changes.values()) {
    if (before === undefined) continue
    const entity = entityOfRecord(state, id, decodeRecord(before), false)
    if (matches(entity)) rows.push(rowOf(entity, query.order))
  }
  return rows
}
