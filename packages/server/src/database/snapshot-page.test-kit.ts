/** Snapshots as a client gets them: encoded and decoded, page after page. */
import {
  decodePullResponse,
  encodePackedPullPage,
  encodeSnapshotPage,
  PACKED_FORM,
  type PullRequest,
  type PullResponse,
  type SnapshotRequest,
  type SyncOperation,
} from '@entidb/protocol'
import { expect } from 'vitest'
import type { Identity } from '../auth/identity.ts'
import {
  dbId,
  openTestDatabase,
  pull,
  push,
  put,
  remove,
  writer,
} from './sync-database.test-kit.ts'
import type { SyncDatabase } from './sync-database.ts'

export const DAY_MS = 86_400_000
export const RETENTION_MS = 30 * DAY_MS

export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)

/** The answer to a request for a page of a snapshot, whichever it is. */
export async function answer(
  database: SyncDatabase,
  snapshot: SnapshotRequest,
  extras: Partial<PullRequest> = {},
  identity: Identity = writer,
): Promise<PullResponse> {
  const request = { dbId, sinceCursor: 0, packed: PACKED_FORM, snapshot, ...extras }
  const page = await database.pullSnapshot(request, identity)
  if (page !== undefined) return decodePullResponse(encodeSnapshotPage(page))
  return decodePullResponse(encodePackedPullPage(await database.pull(request, identity)))
}

/** All pages; `between` runs before each but the first. Holds every page to what a page of a snapshot is. */
export async function allPages(
  database: SyncDatabase,
  extras: Partial<PullRequest> = {},
  between: (pages: number) => Promise<void> = async () => {},
): Promise<PullResponse[]> {
  const pages: PullResponse[] = []
  for (let asked: SnapshotRequest = {}; ; ) {
    const page = await answer(database, asked, extras)
    pages.push(page)
    const head = await database.head()
    const { through = -1, after } = page.snapshot ?? {}
    expect(through).toBe(asked.through ?? head)
    expect(page.head).toBe(head)
    const revisions = page.ops.map(({ entityVersion }) => entityVersion)
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b))
    if (after === undefined) {
      expect(page).toMatchObject({ nextCursor: through, hasMore: through < head })
      return pages
    }
    expect(page).toMatchObject({ nextCursor: 0, hasMore: true })
    expect(Buffer.byteLength(after)).toBeLessThanOrEqual(1024)
    asked = { through, after }
    await between(pages.length)
  }
}

export const keyOf = ({ collection, entityId }: SyncOperation): string =>
  `${collection} ${entityId}`
export const idsOf = (pages: readonly PullResponse[]): string[][] =>
  pages.map(({ ops }) => ops.map(({ entityId }) => entityId))

/** The newest operation of every entity, tombstones too, as pulls by cursor give it. */
export async function newest(database: SyncDatabase): Promise<Map<string, SyncOperation>> {
  const operations = new Map<string, SyncOperation>()
  for (let sinceCursor = 0, more = true; more; ) {
    const page = await pull(database, { sinceCursor })
    for (const op of page.ops) operations.set(keyOf(op), op)
    ;[sinceCursor, more] = [page.nextCursor, page.hasMore]
  }
  return operations
}

/** What a client has that applied the pages and then pulled from where they lead; it skips what it knows. */
export async function replicaOf(
  database: SyncDatabase,
  pages: readonly PullResponse[],
): Promise<Map<string, SyncOperation>> {
  const rest: SyncOperation[] = []
  for (let sinceCursor = pages.at(-1)?.nextCursor ?? 0, more = true; more; ) {
    const page = await pull(database, { sinceCursor })
    rest.push(...page.ops)
    ;[sinceCursor, more] = [page.nextCursor, page.hasMore]
  }
  const known = new Map<string, SyncOperation>()
  for (const op of [...pages.flatMap(({ ops }) => ops), ...rest]) {
    const before = known.get(keyOf(op))?.entityVersion ?? 0
    if (op.entityVersion > before) known.set(keyOf(op), op)
  }
  return known
}

export const withoutGroups = (operations: Iterable<SyncOperation>): SyncOperation[] =>
  [...operations]
    .map(({ tx: _, ...op }) => op)
    .toSorted((a, b) => a.entityVersion - b.entityVersion)

export async function filled(ids: readonly string[]): Promise<SyncDatabase> {
  const database = await openTestDatabase()
  await push(
    database,
    ids.map((id, i) => put(i + 1, id, 0, id)),
  )
  return database
}

/** Of operations on entities that a test knows the newest revision of. */
export class Writer {
  readonly #database: SyncDatabase
  #opId = 1_000

  constructor(database: SyncDatabase) {
    this.#database = database
  }

  async put(entityId: string, value: unknown = 'later'): Promise<void> {
    await push(this.#database, [put(++this.#opId, entityId, await this.#base(entityId), value)])
  }

  async remove(entityId: string): Promise<void> {
    await push(this.#database, [remove(++this.#opId, entityId, await this.#base(entityId))])
  }

  async #base(entityId: string): Promise<number> {
    return (await newest(this.#database)).get(`items ${entityId}`)?.entityVersion ?? 0
  }
}
