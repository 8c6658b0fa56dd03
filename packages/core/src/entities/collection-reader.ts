/** The reads of a collection: the same in a database, a snapshot and a transaction. */
import type { MaybePromise } from '../files/file-system.ts'
import { AnswerStream } from './answer-stream.ts'
import type { AnyEntity, CollectionDefinitions, Entity, EntityOf } from './collection-definition.ts'
import type { CollectionState } from './collection-state.ts'
import { invalidQuery } from './entity-errors.ts'
import { idKeyOf } from './entity-id.ts'
import type { EntityReader } from './entity-reader.ts'
import { formatPlace, parsePlace } from './page-token.ts'
import { type ParsedQuery, parseQuery } from './parsed-query.ts'
import { placeOf } from './place.ts'
import { knownAnswer, lookUp, pointLookupOf } from './point-lookup.ts'
import { projectAll } from './projection.ts'
import type { Page, PageQuery, Query, QueryExplanation } from './query.ts'
import type { QueryRun } from './query-run.ts'
import type { ReadSource } from './read-source.ts'
import { decodeRecord, entityBytes, type StoredRecord } from './record.ts'
import { takeEntries } from './scan.ts'
import type { Answer, Selection } from './selection.ts'
import type { Steps } from './steps.ts'

/** Stored bytes of an entity. */
export interface RawEntity {
  /** Deterministic CBOR; must not be changed. */
  readonly bytes: Uint8Array
  /** The replicated revision; of the state the local edits were made on while there are any. 0: none. */
  readonly version: number
  /** The version of the collection's shape that the bytes were written in. */
  readonly schemaVersion: number
}

/** Which entities `nextRaw` answers. */
export interface RawRange {
  /** Entities with a higher id, by UTF-8 bytes. Absent: from the first. */
  readonly after?: string
  /** Most entities to answer, at least 1. */
  readonly limit: number
  /** No more are read once they have this many bytes, which may be a mebibyte too many. Absent: any number. */
  readonly bytesMax?: number
}

/** What a database, a snapshot and a transaction have in common: collections to read. */
export interface ReadScope<D extends CollectionDefinitions = CollectionDefinitions> {
  /** Error: `unknown_collection`. */
  collection<K extends keyof D & string>(name: K): CollectionReader<EntityOf<D[K]>>
}

/** For where the answers themselves do not matter. */
type AnyQuery<T extends Entity> = Query<T, Selection<T> | undefined>

const SCAN_BATCH = 256

/**
 * Entities come back deeply frozen, and one version of an entity is one object as long as it is cached.
 * One that holds a Date or Uint8Array is decoded anew for every read.
 *
 * Errors of every method: `database_closed`, or `transaction_closed` after the end of the transaction or
 * snapshot it belongs to; `io_failed`, `corrupt`.
 */
export class CollectionReader<T extends Entity = AnyEntity> {
  readonly #state: CollectionState
  readonly #source: ReadSource

  constructor(state: CollectionState, source: ReadSource) {
    this.#state = state
    this.#source = source
  }

  get name(): string {
    return this.#state.name
  }

  /** Undefined when there is no such entity. */
  async get(id: T['id']): Promise<Readonly<T> | undefined> {
    this.#source.assertOpen()
    if (this.#source.readsLatest) {
      const latest = this.#state.cache.latest(id)
      if (latest !== undefined) return latest as Readonly<T>
    }
    assertIdArgument(id)
    const entity = await this.#source.read((reader) => reader.get(this.#state, id))
    // Put in as T; replicated entities are taken at their word.
    return entity as Readonly<T> | undefined
  }

  /** In the order of `ids`, undefined where there is no such entity; all from one state. */
  async getMany(ids: readonly T['id'][]): Promise<(Readonly<T> | undefined)[]> {
    this.#source.assertOpen()
    const { readsLatest } = this.#source
    const taken = [...ids]
    taken.forEach(assertIdArgument)
    const entities = await this.#source.read((reader) =>
      reader.getMany(this.#state, taken, readsLatest),
    )
    // As in `get`.
    return entities as (Readonly<T> | undefined)[]
  }

  /** The stored bytes, exactly; undefined when there is no such entity. */
  async getRaw(id: T['id']): Promise<RawEntity | undefined> {
    assertIdArgument(id)
    const stored = await this.#source.read((reader) => reader.findRecord(this.#state, idKeyOf(id)))
    return stored === undefined ? undefined : rawOf(stored)
  }

  /**
   * As `getRaw`, of the next entities in the order of their ids: for whoever passes entities on without
   * looking into them. Nothing is decoded or cached.
   */
  async nextRaw({ after, limit, bytesMax }: RawRange): Promise<readonly RawEntity[]> {
    if (!(limit >= 1)) throw new TypeError('limit is a number from 1')
    if (after !== undefined) assertIdArgument(after)
    const { recordTable } = this.#state
    const range = after === undefined ? {} : { gt: idKeyOf(after) }
    const { values } = await this.#source.read(({ view }) =>
      takeEntries(view.scan(recordTable, range), limit, bytesMax),
    )
    return values.map((record) => rawOf(decodeRecord(record)))
  }

  /**
   * All answers. Error: `invalid_query`.
   *
   * @example
   * await people.find({
   *   where: { status: 'open', createdAt: { gte: t0, lt: t1 } },
   *   orderBy: { createdAt: 'desc' },
   *   limit: 20,
   * })
   * await people.find({ select: ['id', 'address.city'] }) // [{ id: 'p1', address: { city: 'Bern' } }]
   */
  async find<const S extends Selection<T> | undefined = undefined>(
    query?: Query<T, S>,
  ): Promise<readonly Answer<T, S>[]> {
    const known = this.#known(query)
    // As in `get`.
    if (known !== undefined) return [known as Answer<T, S>]
    const parsed = parseQuery(query)
    // A page's query has the type of one; that `after` is undefined says nothing.
    if (query !== undefined && 'after' in query && query.after !== undefined) {
      throw invalidQuery('after is for findPage')
    }
    const found = await this.#find(parsed, parsed.limit)
    // As in `get`.
    return projectAll(found, parsed.project) as readonly Answer<T, S>[]
  }

  /** The first answer. Error: `invalid_query`. */
  async first<const S extends Selection<T> | undefined = undefined>(
    query: Query<T, S> = {},
  ): Promise<Answer<T, S> | undefined> {
    const known = this.#known(query)
    // As in `get`.
    if (known !== undefined) return known as Answer<T, S>
    const parsed = parseQuery(query)
    const found = await this.#find(parsed, Math.min(1, parsed.limit))
    const [first] = projectAll(found, parsed.project)
    // As in `get`.
    return first as Answer<T, S> | undefined
  }

  /** The answer to a point lookup, where the cache has it. */
  #known(query: unknown): object | undefined {
    this.#source.assertOpen()
    return this.#source.readsLatest ? knownAnswer(this.#state, query) : undefined
  }

  #find(parsed: ParsedQuery, limit: number): MaybePromise<readonly object[]> {
    const state = this.#state
    const lookup = limit > 0 ? pointLookupOf(state, parsed) : undefined
    return this.#source.read(function* (reader) {
      if (lookup !== undefined) {
        const found = yield* lookUp(reader, state, lookup)
        reader.rememberLookup(state, lookup.path, found)
        if (found.length <= 1) return found
      }
      return yield* reader.query(state, parsed, { limit }).all(reader)
    })
  }

  /** How many answers, `limit` included. Error: `invalid_query`. */
  async count(query?: AnyQuery<T>): Promise<number> {
    const parsed = parseQuery(query)
    const isAll = parsed.conditions.length === 0 && parsed.predicates.length === 0
    const { recordTable } = this.#state
    if (isAll)
      return Math.min(
        parsed.limit,
        await this.#source.read((reader) => countAll(reader, recordTable)),
      )
    const unordered = { ...parsed, order: [] }
    return this.#source.read((reader) => reader.query(this.#state, unordered).count(reader))
  }

  /**
   * Streams the answers, all from one state: in a transaction, what it writes after the first step does not show. Without
   * an index for its order, `orderBy` has to gather them first. Error: `invalid_query`.
   *
   * @example
   * for await (const person of people.scan({ where: { status: 'open' } })) print(person)
   */
  scan<const S extends Selection<T> | undefined = undefined>(
    query?: Query<T, S>,
  ): AsyncIterableIterator<Answer<T, S>, void, undefined> {
    const parsed = parseQuery(query)
    return new AnswerStream(() => {
      const view = this.#source.pin()
      let run: QueryRun | undefined
      return {
        next: async () => {
          const found = await view.read((reader) => {
            run ??= reader.query(this.#state, parsed, { streams: true })
            return run.next(reader, SCAN_BATCH)
          })
          // As in `get`.
          return projectAll(found, parsed.project) as readonly Answer<T, S>[]
        },
        release: () => view.release(),
      }
    })
  }

  /**
   * One page of the answers. A later page goes on behind the last entity of the one before, whatever was
   * written meanwhile. Error: `invalid_query`.
   *
   * @example
   * const page = await people.findPage({ orderBy: { name: 'asc' }, limit: 20, after: last?.next })
   */
  async findPage<const S extends Selection<T> | undefined = undefined>(
    query: PageQuery<T, S>,
  ): Promise<Page<Answer<T, S>>> {
    const parsed = parseQuery(query)
    const { limit, order, project } = parsed
    if (!(limit >= 1 && limit < Infinity))
      throw invalidQuery('findPage needs a limit of at least 1')
    const after = query.after === undefined ? undefined : parsePlace(query.after, order.length)
    const one = { limit: limit + 1 }
    const bounds = after === undefined ? one : { ...one, after }
    const found = await this.#source.read((reader) =>
      reader.query(this.#state, parsed, bounds).all(reader),
    )
    const items = found.slice(0, limit)
    const last = found.length > limit ? items.at(-1) : undefined
    const next = last === undefined ? undefined : formatPlace(placeOf(last, order))
    // As in `get`.
    return { items: projectAll(items, project) as readonly Answer<T, S>[], next }
  }

  /** Runs the query and tells how it was answered. Error: `invalid_query`. */
  async explain(query?: AnyQuery<T>): Promise<QueryExplanation> {
    const state = this.#state
    const parsed = parseQuery(query)
    return this.#source.read(function* (reader): Steps<QueryExplanation> {
      const run = reader.query(state, parsed)
      yield* run.all(reader)
      return run.explanation
    })
  }
}

function rawOf(stored: StoredRecord): RawEntity {
  const { revision, schemaVersion } = stored
  return { bytes: entityBytes(stored), version: revision, schemaVersion }
}

function assertIdArgument(id: unknown): asserts id is string {
  if (typeof id !== 'string') throw new TypeError(`An id is a string, not ${typeof id}`)
}

function* countAll({ view }: EntityReader, table: string): Steps<number> {
  const answer = view.count(table)
  // The runner resolves promises to what they promise.
  return answer instanceof Promise ? ((yield answer) as number) : answer
}
