/**
 * The local operations that are still to be pushed, as far as the change feed was read: which entities,
 * and which of them belong together because one transaction wrote them. Holds names, not contents.
 */
import { type EntityRef, entityKey } from '../entity-ref.ts'

export interface LocalOperation extends EntityRef {
  readonly opId: number
  readonly staleBase: boolean
}

/** Operations of one transaction, or a single one that stands alone. */
interface LocalTransaction {
  readonly transactionId: number
  /** Last opId: names the transaction for whoever waits for its fate. */
  key: number
  rows: { readonly opId: number; readonly entity: string; readonly stale: boolean }[]
  /** Entities of which some row is stale: asked about one by one, of a transaction that may have very many. */
  stale: Set<string> | undefined
}

/** A local transaction that is still to be pushed. */
export interface PendingTransaction {
  readonly transactionId: number
  /** Its last opId. */
  readonly key: number
  /** Of its entities. */
  readonly entities: readonly string[]
}

export interface Component {
  readonly entities: ReadonlySet<string>
  /** The transactions that tie them together. */
  readonly transactions: readonly PendingTransaction[]
}

export class LocalEdits {
  /** The transactions that wrote an entity. Of nearly every one there is a single one: no set for that. */
  readonly #byEntity = new Map<string, LocalTransaction | Set<LocalTransaction>>()
  readonly #byKey = new Map<number, LocalTransaction>()
  /** Keys, by transactionId, of transactions that are not taken to their end, and of which no operation is to be pushed. */
  readonly #settled = new Map<number, number>()
  #open: LocalTransaction | undefined
  #operations = 0
  #readThrough = 0
  #lastLocalOpId = 0

  /** OpId of the last local operation that was read, accounted for or not. */
  get lastLocalOpId(): number {
    return this.#lastLocalOpId
  }

  /** The feed was read up to here. */
  get readThrough(): number {
    return this.#readThrough
  }

  /** Number of operations. */
  get size(): number {
    return this.#operations
  }

  reset(readThrough: number): void {
    this.#byEntity.clear()
    this.#byKey.clear()
    this.#settled.clear()
    this.#open = undefined
    this.#operations = 0
    this.#readThrough = readThrough
  }

  /** The feed was read up to `opId`, and what lay before is not a local edit to push. */
  skip(opId: number): void {
    this.#readThrough = Math.max(this.#readThrough, opId)
  }

  add(operation: LocalOperation, transactionId: number, standsAlone: boolean): void {
    this.#readLocal(operation.opId)
    const transaction = this.#transactionFor(transactionId, operation.opId, standsAlone)
    this.#rename(transaction, operation.opId)
    const entity = entityKey(operation)
    transaction.rows.push({ opId: operation.opId, entity, stale: operation.staleBase })
    if (operation.staleBase) {
      transaction.stale ??= new Set()
      transaction.stale.add(entity)
    }
    const touching = this.#byEntity.get(entity)
    if (touching === undefined) this.#byEntity.set(entity, transaction)
    else if (touching instanceof Set) touching.add(transaction)
    else if (touching !== transaction) this.#byEntity.set(entity, new Set([touching, transaction]))
    this.#operations += 1
  }

  /** An operation that is accounted for. Whoever waits for the fate of its transaction may name it by this one. */
  addSettled(opId: number, transactionId: number, standsAlone: boolean): void {
    this.#readLocal(opId)
    const open = this.#open
    if (standsAlone) return
    if (open?.transactionId === transactionId && open.rows.length > 0) this.#rename(open, opId)
    else this.#settled.set(transactionId, opId)
  }

  /** Operations of each entity up to the given opId are accounted for elsewhere. */
  drop(throughByEntity: ReadonlyMap<string, number>): void {
    for (const transaction of this.#touchingAny(throughByEntity.keys())) {
      this.#keep(transaction, (row) => row.opId > (throughByEntity.get(row.entity) ?? 0))
    }
  }

  /** Operations up to `opId` were taken. */
  dropThrough(opId: number): void {
    for (const [key, transaction] of this.#byKey) {
      const first = transaction.rows[0]
      if (first === undefined || first.opId > opId) break
      this.#keep(transaction, (row) => row.opId > opId)
      if (key > opId) break
    }
    for (const [transactionId, key] of this.#settled) {
      if (key <= opId) this.#settled.delete(transactionId)
    }
  }

  /** Keys of the entities with operations to push. */
  get entities(): Iterable<string> {
    return this.#byEntity.keys()
  }

  /** OpId of the last operation; 0 without one. */
  get lastOpId(): number {
    let last = 0
    for (const key of this.#byKey.keys()) last = Math.max(last, key)
    return last
  }

  has(entity: string): boolean {
    return this.#byEntity.has(entity)
  }

  /** An edit of `entity` was made on a state older than the stored one. */
  isStale(entity: string): boolean {
    for (const transaction of this.#touching(entity)) {
      if (transaction.stale?.has(entity) === true) return true
    }
    return false
  }

  /** Of a transaction that is not taken to its end; undefined when nothing of it was read. */
  pendingTransaction(transactionId: number): PendingTransaction | undefined {
    for (const transaction of this.#byKey.values()) {
      if (transaction.transactionId === transactionId) return pendingOf(transaction)
    }
    const key = this.#settled.get(transactionId)
    return key === undefined ? undefined : { transactionId, key, entities: [] }
  }

  /** Which of the entities, given with the opId of a write, the same transaction writes again after that. */
  writtenAgain(transactionId: number, writes: ReadonlyMap<string, number>): ReadonlySet<string> {
    const again = new Set<string>()
    for (const transaction of this.#touchingAny(writes.keys())) {
      if (transaction.transactionId !== transactionId) continue
      for (const { opId, entity } of transaction.rows) {
        if (opId > (writes.get(entity) ?? Number.POSITIVE_INFINITY)) again.add(entity)
        // Often found at once, of a transaction that may have very many operations.
        if (again.size === writes.size) break
      }
    }
    return again
  }

  /** Everything that some transaction ties, directly or through others, to one of `entities`. */
  componentOf(entities: Iterable<string>, transactionId: number | null = null): Component {
    const reached = new Set(entities)
    const transactions = new Set<LocalTransaction>()
    if (transactionId !== null) this.#reachTransaction(transactionId, reached)
    for (const entity of reached) {
      for (const transaction of this.#touching(entity)) {
        if (transactions.has(transaction)) continue
        transactions.add(transaction)
        for (const row of transaction.rows) reached.add(row.entity)
      }
    }
    return { entities: reached, transactions: [...transactions].map(pendingOf) }
  }

  /** In the order of their commits. */
  transactions(): readonly PendingTransaction[] {
    return [...this.#byKey.values()].map(pendingOf)
  }

  #readLocal(opId: number): void {
    this.skip(opId)
    this.#lastLocalOpId = Math.max(this.#lastLocalOpId, opId)
  }

  #rename(transaction: LocalTransaction, key: number): void {
    this.#byKey.delete(transaction.key)
    transaction.key = key
    this.#byKey.set(key, transaction)
  }

  #reachTransaction(transactionId: number, reached: Set<string>): void {
    for (const transaction of this.#byKey.values()) {
      if (transaction.transactionId !== transactionId) continue
      for (const row of transaction.rows) reached.add(row.entity)
    }
  }

  #transactionFor(transactionId: number, opId: number, standsAlone: boolean): LocalTransaction {
    if (!standsAlone && this.#open?.transactionId === transactionId) return this.#open
    const transaction = { transactionId, key: opId, rows: [], stale: undefined }
    this.#open = standsAlone ? undefined : transaction
    return transaction
  }

  #keep(
    transaction: LocalTransaction,
    stays: (row: LocalTransaction['rows'][number]) => boolean,
  ): void {
    const rows = transaction.rows.filter(stays)
    if (rows.length === transaction.rows.length) return
    this.#operations -= transaction.rows.length - rows.length
    const entities = new Set(rows.map((row) => row.entity))
    for (const { entity } of transaction.rows) {
      if (!entities.has(entity)) this.#forget(entity, transaction)
    }
    transaction.rows = rows
    transaction.stale = staleOf(rows)
    if (rows.length > 0) return
    this.#byKey.delete(transaction.key)
    this.#settled.set(transaction.transactionId, transaction.key)
  }

  #forget(entity: string, transaction: LocalTransaction): void {
    const touching = this.#byEntity.get(entity)
    if (touching instanceof Set) touching.delete(transaction)
    const isEmpty = touching instanceof Set ? touching.size === 0 : touching === transaction
    if (isEmpty) this.#byEntity.delete(entity)
  }

  #touchingAny(entities: Iterable<string>): ReadonlySet<LocalTransaction> {
    const touching = new Set<LocalTransaction>()
    for (const entity of entities) {
      for (const transaction of this.#touching(entity)) touching.add(transaction)
    }
    return touching
  }

  #touching(entity: string): Iterable<LocalTransaction> {
    const touching = this.#byEntity.get(entity)
    if (touching === undefined) return []
    return touching instanceof Set ? touching : [touching]
  }
}

function pendingOf({ transactionId, key, rows }: LocalTransaction): PendingTransaction {
  return { transactionId, key, entities: [...new Set(rows.map(({ entity }) => entity))] }
}

function staleOf(rows: LocalTransaction['rows']): Set<string> | undefined {
  const stale = rows.filter((row) => row.stale)
  return stale.length === 0 ? undefined : new Set(stale.map(({ entity }) => entity))
}
