import { Collection } from './collection.ts'
import type { AnyEntity, Entity } from './collection-definition.ts'
import type { CollectionState } from './collection-state.ts'
import type { DatabaseSource } from './database-source.ts'
import { invalidQuery } from './entity-errors.ts'
import { type LiveOptions, LiveQuery } from './live-query.ts'
import { parseQuery } from './parsed-query.ts'
import type { Query } from './query.ts'

/** A collection of the database itself, as opposed to one of a transaction: it can be watched. */
export class DatabaseCollection<T extends Entity = AnyEntity> extends Collection<T> {
  readonly #state: CollectionState
  readonly #source: DatabaseSource

  constructor(state: CollectionState, source: DatabaseSource) {
    super(state, source)
    this.#state = state
    this.#source = source
  }

  /**
   * A query whose result is kept right while others write, by any of them: this collection, transactions, sync.
   * It is open until it is closed, its signal is given, or the database closes. Open as many as the screen needs:
   * a commit costs only those it may touch, told by the values that `where` fixes and the ranges it gives. The answers
   * are whole entities, without `select`.
   *
   * Errors: `invalid_query`, `database_closed`; later ones as `LiveQuery` says.
   *
   * @example
   * using live = people.live({ where: { status: 'open' }, orderBy: { createdAt: 'desc' }, limit: 20 })
   * const stop = live.subscribe(({ items, changes }) => render(items, changes))
   */
  live(query: Query<T> = {}, options: LiveOptions = {}): LiveQuery<T> {
    this.#source.assertOpen()
    const parsed = parseQuery(query)
    if ('after' in query) {
      throw invalidQuery('A live query has no after: it begins at the beginning')
    }
    if (parsed.project !== undefined) {
      throw invalidQuery('A live query has no select: it answers entities, as they are stored')
    }
    return new LiveQuery<T>(this.#source, this.#state, parsed, options)
  }
}
