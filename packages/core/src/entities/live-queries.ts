/**
 * The live queries of an open database, and the commits on their way to them.
 *
 * A commit is handed over with what it changed, and delivered once it is durable and visible, in commit order.
 * Delivering has two steps, so that no listener ever sees one live query after the commit and another one before
 * it: first every result it touches is brought up to date, then their listeners are told. Only a live query that
 * has to wait for the store follows later.
 */
import type { EntiDBError } from '../errors/entidb-error.ts'
import { EntityChange } from './entity-change.ts'
import { type Demands, LiveDispatch } from './live-dispatch.ts'
import type { CommittedChanges, RecordChange, RecordChanges, Watches } from './record-changes.ts'

/** A live query as commits see it. */
export interface LiveFollower {
  readonly collection: string
  readonly demands: Demands
  /** The commit made these changes; undefined: what it changed in the collection is not known. Never throws. */
  take(lastOpId: number, changes: readonly EntityChange[] | undefined): Tell | undefined
  /** Its result cannot be kept right any more. Never throws. */
  fail(error: unknown): void
  /** The database closes. Never throws. */
  end(reason: EntiDBError): void
}

/** Tells listeners. Never throws. */
export type Tell = () => void

/** A commit that may not be durable yet. */
export interface CommitOnItsWay {
  readonly changes: CommittedChanges
  readonly durable: Promise<void>
}

export class LiveQueries implements Watches {
  readonly #dispatchesByCollection = new Map<string, LiveDispatch<LiveFollower>>()
  readonly #followers = new Set<LiveFollower>()
  #onTheirWay: CommitOnItsWay[] = []

  /** Live queries that are open. */
  get size(): number {
    return this.#followers.size
  }

  watches(collection: string): boolean {
    return this.#dispatchesByCollection.has(collection)
  }

  add(follower: LiveFollower): void {
    const { collection, demands } = follower
    let dispatch = this.#dispatchesByCollection.get(collection)
    if (dispatch === undefined) {
      dispatch = new LiveDispatch()
      this.#dispatchesByCollection.set(collection, dispatch)
    }
    dispatch.add(follower, demands)
    this.#followers.add(follower)
  }

  remove(follower: LiveFollower): void {
    const { collection, demands } = follower
    if (!this.#followers.delete(follower)) return
    const dispatch = this.#dispatchesByCollection.get(collection)
    dispatch?.remove(follower, demands)
    if (dispatch?.queries.size === 0) this.#dispatchesByCollection.delete(collection)
  }

  /** The transaction was handed to the store. */
  handOver(changes: CommittedChanges, durable: Promise<void>): CommitOnItsWay {
    const commit = { changes, durable }
    this.#onTheirWay.push(commit)
    return commit
  }

  /** It came to nothing. */
  drop(commit: CommitOnItsWay): void {
    // Nearly always the first.
    if (this.#onTheirWay[0] === commit) this.#onTheirWay.shift()
    else this.#onTheirWay = this.#onTheirWay.filter((other) => other !== commit)
  }

  /** It is durable and visible. Called in commit order. Never throws: there is nothing to undo any more. */
  deliver(commit: CommitOnItsWay): void {
    this.drop(commit)
    if (this.#followers.size === 0) return
    const { lastOpId, changesByCollection, unrecorded } = commit.changes
    const tells: Tell[] = []
    const take = (follower: LiveFollower, changes: readonly EntityChange[] | undefined): void => {
      const tell = follower.take(lastOpId, changes)
      if (tell !== undefined) tells.push(tell)
    }
    for (const [collection, changes] of changesByCollection) {
      const dispatch = this.#dispatchesByCollection.get(collection)
      if (dispatch === undefined) continue
      try {
        for (const [follower, concerned] of findConcerned(dispatch, changes)) {
          take(follower, concerned)
        }
      } catch (error) {
        // An entity that cannot be decoded: which of them it concerns is not known.
        for (const follower of dispatch.queries) follower.fail(error)
      }
    }
    for (const collection of unrecorded) {
      const dispatch = this.#dispatchesByCollection.get(collection)
      if (dispatch !== undefined) for (const follower of dispatch.queries) take(follower, undefined)
    }
    for (const tell of tells) tell()
  }

  /**
   * Resolves when the commits on their way of which it is not known what they changed in the collection are
   * visible, or came to nothing; undefined when there are none.
   */
  settled(collection: string): Promise<unknown> | undefined {
    const unknown = this.#onTheirWay.filter(({ changes }) => changes.unrecorded.has(collection))
    if (unknown.length === 0) return undefined
    return Promise.allSettled(unknown.map(({ durable }) => durable))
  }

  /** What the commits on their way change in a collection, of those with an opId in `(after, through]`. */
  changesOnTheirWay(collection: string, after: number, through: number): readonly RecordChange[] {
    const changes: RecordChange[] = []
    for (const { changes: commit } of this.#onTheirWay) {
      if (commit.lastOpId <= after || commit.lastOpId > through) continue
      for (const change of commit.changesByCollection.get(collection)?.values() ?? []) {
        changes.push(change)
      }
    }
    return changes
  }

  close(reason: EntiDBError): void {
    for (const follower of [...this.#followers]) follower.end(reason)
  }
}

/** The live queries that the changes may touch, each with those that may touch it. */
function findConcerned(
  dispatch: LiveDispatch<LiveFollower>,
  changes: RecordChanges,
): ReadonlyMap<LiveFollower, readonly EntityChange[]> {
  const concerned = new Map<LiveFollower, EntityChange[]>()
  const followers = new Set<LiveFollower>()
  const { extractor } = dispatch
  for (const recorded of changes.values()) {
    const change = new EntityChange(recorded)
    for (const form of change.forms(extractor)) dispatch.find(form, followers)
    for (const follower of followers) {
      const known = concerned.get(follower)
      if (known === undefined) concerned.set(follower, [change])
      else known.push(change)
    }
    followers.clear()
  }
  return concerned
}
