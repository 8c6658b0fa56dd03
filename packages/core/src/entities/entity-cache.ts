/**
 * Decoded entities, bounded by the memory that they take. One version of an entity is one
 * object as long as it is cached; the record's stamp names the version, so that a snapshot or a
 * transaction is never handed the object of another state.
 *
 * An entry that is `latest` is what the last visible commit holds and can be used without looking. It
 * stops being so the moment a transaction writes the entity, long before that commits.
 *
 * Evicts the oldest first; one that was used since it was last considered gets another round. Once it is
 * nearly full, it takes in only what was asked for before: objects that live for a while and are dropped then
 * are what costs a collector most. And where it is hardly ever of use, because what is asked for lies all over
 * a much larger collection, it becomes smaller, down to an eighth.
 */
import { Doorkeeper } from './doorkeeper.ts'
import type { KnownVersion } from './entity-version.ts'
import { UniqueLookups } from './unique-lookups.ts'

/** An entity of 200 bytes and ten fields takes a kilobyte as an object, with all that leads to it. */
const ENTRY_MEMORY_BYTES = 500
const MEMORY_BYTES_PER_BYTE = 2.5
/** Up to here everything is taken in. */
const FREE_PART = 7 / 8
/** When so many were not there, it is looked at how many were. */
const MISSES_LOOKED_AT = 16 * 1024
/** Hits for each miss below which the cache becomes smaller, and above which it becomes whole again. */
const HITS_FEW = 1 / 8
const HITS_MANY = 1 / 2
const LEAST_PART = 1 / 8
/** Entries that one call drops, at most, when the cache becomes smaller. */
const DROPS_MAX = 16

/** What an entity of `encodedBytes` takes in memory: rough, for the cache. */
export function decodedBytes(encodedBytes: number): number {
  return Math.ceil(ENTRY_MEMORY_BYTES + MEMORY_BYTES_PER_BYTE * encodedBytes)
}

export interface CacheEntry extends KnownVersion {
  readonly value: object
  /** Of memory. */
  readonly bytes: number
  readonly home: CollectionCache
  readonly id: string
  revision: number
  latest: boolean
  used: boolean
  dead: boolean
}

/** What all collections of a database share. */
export class EntityCache {
  readonly #bytesMax: number
  #queue: CacheEntry[] = []
  #head = 0
  /** What it may take at present. */
  #bytesAllowed: number
  #bytes = 0
  #entries = 0
  #misses = 0
  /** Counted by the collections' part of the cache. */
  hits = 0
  /** Since not everything is taken in any more. */
  #doorkeeper: Doorkeeper | undefined

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    this.#bytesAllowed = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  get entries(): number {
    return this.#entries
  }

  /** An entity without an entry is asked for: is it worth one? */
  admits(id: string): boolean {
    if (this.#bytes < this.#bytesAllowed * FREE_PART) return true
    if (this.#entries === 0) return false
    this.#doorkeeper ??= new Doorkeeper(this.#entries)
    if (++this.#misses === MISSES_LOOKED_AT) this.#adapt()
    this.#dropBeyondAllowed(DROPS_MAX)
    return this.#doorkeeper.wasSeen(id)
  }

  #adapt(): void {
    const hitsPerMiss = this.hits / this.#misses
    if (hitsPerMiss < HITS_FEW) {
      this.#bytesAllowed = Math.max(this.#bytesAllowed / 2, this.#bytesMax * LEAST_PART)
    } else if (hitsPerMiss > HITS_MANY) {
      this.#bytesAllowed = this.#bytesMax
    }
    this.hits = 0
    this.#misses = 0
  }

  #dropBeyondAllowed(max: number): void {
    for (let i = 0; i < max; i++) {
      if (this.#bytes <= this.#bytesAllowed || this.#head === this.#queue.length) return
      this.#considerOldest()
    }
  }

  collection(): CollectionCache {
    return new CollectionCache(this)
  }

  add(entry: CacheEntry): void {
    this.#queue.push(entry)
    this.#bytes += entry.bytes
    this.#entries++
    const isTooMuch = this.#bytes > this.#bytesMax
    this.#dropBeyondAllowed(isTooMuch ? Number.POSITIVE_INFINITY : DROPS_MAX)
  }

  drop(entry: CacheEntry): void {
    if (entry.dead) return
    entry.dead = true
    entry.home.forget(entry)
    this.#bytes -= entry.bytes
    this.#entries--
    // Dead entries stay in the queue until they are met; they must not pile up there.
    if (this.#queue.length - this.#head > 2 * this.#entries + 1024) this.#sweep()
  }

  #considerOldest(): void {
    // The caller has checked that the queue is not empty.
    const entry = this.#queue[this.#head++] as CacheEntry
    if (!entry.dead) {
      if (entry.used) {
        entry.used = false
        this.#queue.push(entry)
      } else {
        this.drop(entry)
      }
    }
    if (this.#head > 4096 && this.#head * 2 > this.#queue.length) this.#sweep()
  }

  #sweep(): void {
    this.#queue = this.#queue.slice(this.#head).filter((entry) => !entry.dead)
    this.#head = 0
  }
}

/**
 * Entries of one collection: by id for who knows nothing else, by stamp for who has the record. Of the two, the
 * number is found in half the time, and no string has to be made for it.
 */
export class CollectionCache {
  readonly #cache: EntityCache
  readonly #entriesById = new Map<string, CacheEntry>()
  readonly #entriesByStamp = new Map<number, CacheEntry>()
  readonly #lookups = new UniqueLookups()

  constructor(cache: EntityCache) {
    this.#cache = cache
  }

  latest(id: string): object | undefined {
    const entry = this.#entriesById.get(id)
    if (entry === undefined || !entry.latest) return undefined
    // Most are marked already: reading is cheaper than writing.
    if (!entry.used) entry.used = true
    this.#cache.hits++
    return entry.value
  }

  /** The version that the write `stamp` made. */
  find(stamp: number): CacheEntry | undefined {
    const entry = this.#entriesByStamp.get(stamp)
    if (entry === undefined) return undefined
    if (!entry.used) entry.used = true
    this.#cache.hits++
    return entry
  }

  /** The one latest entity with a value of a unique index, where that is known. */
  latestWith(path: string, value: unknown): object | undefined {
    const found = this.#lookups.get(path, value)
    if (found !== undefined) this.#cache.hits++
    return found
  }

  /** In the last visible commit no entity but this one has its value at `path`, of a unique index. */
  rememberOnly(path: string, id: string, entity: object): void {
    const entry = this.#entriesById.get(id)
    if (entry?.value === entity) this.#lookups.remember(path, entry)
  }

  /** Replication puts a second entity beside one with the same value of a unique index. */
  forgetLookups(): void {
    this.#lookups.clear()
  }

  /** Is it worth an entry? Another version of it that has one is. */
  admits(id: string): boolean {
    return this.#entriesById.has(id) || this.#cache.admits(id)
  }

  /** Replaces another version, unless that is the latest and this one is not. */
  put(
    id: string,
    { stamp, revision, shape }: KnownVersion,
    value: object,
    bytes: number,
    latest: boolean,
  ): CacheEntry {
    const previous = this.#entriesById.get(id)
    // Written out: one shape for all entries.
    const entry: CacheEntry = {
      stamp,
      revision,
      shape,
      value,
      bytes,
      latest,
      home: this,
      id,
      used: false,
      dead: false,
    }
    if (previous?.latest === true && !entry.latest) return entry
    if (previous !== undefined) this.#cache.drop(previous)
    this.#entriesById.set(id, entry)
    this.#entriesByStamp.set(entry.stamp, entry)
    this.#cache.add(entry)
    return entry
  }

  /** It was dropped. */
  forget(entry: CacheEntry): void {
    this.#entriesById.delete(entry.id)
    this.#entriesByStamp.delete(entry.stamp)
    this.#lookups.forget(entry)
  }

  /** A transaction wrote the entity, or is about to. */
  invalidate(id: string): void {
    // A bulk load into a new collection asks very often.
    if (this.#entriesById.size === 0) return
    const entry = this.#entriesById.get(id)
    if (entry !== undefined) entry.latest = false
  }
}
