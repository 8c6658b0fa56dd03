/** Random commits of every kind, and what each of them does to a plain map of entities. */
import fc from 'fast-check'
import { encodeEntity } from '../cbor/entity-encoder.ts'
import type { AnyEntity } from './collection-definition.ts'
import type { EntiDB } from './database.ts'
import { entities } from './queries.test-kit.ts'
import type { Transaction } from './transaction.ts'

/** What a commit does, in order; null: the entity is gone. */
export type Effects = readonly (readonly [id: string, entity: AnyEntity | null])[]

export type Step =
  | { readonly kind: 'put' | 'replicate' | 'replicateGone'; readonly entity: AnyEntity }
  | { readonly kind: 'delete' | 'again' | 'touch' | 'settle' | 'evict'; readonly id: string }
  | { readonly kind: 'putMany' | 'replicateMany'; readonly entities: readonly AnyEntity[] }
  | { readonly kind: 'deleteMany'; readonly ids: readonly string[] }
  | { readonly kind: 'transaction'; readonly writes: readonly Step[]; readonly throws: boolean }
  | { readonly kind: 'fill'; readonly contents: readonly AnyEntity[] }
  | { readonly kind: 'sweep'; readonly by: 'id' | 'a'; readonly direction: 'asc' | 'desc' }
  | { readonly kind: 'open' }
  | { readonly kind: 'atOnce'; readonly steps: readonly Step[] }

export const ids: readonly string[] = Array.from({ length: 50 }, (_, i) => `${i}`)
const id = fc.constantFrom(...ids)
const entity = fc
  .tuple(
    id,
    entities.filter((all) => all.length > 0).map(([first]) => first),
  )
  .map(([id, content]) => ({ ...content, id }) as AnyEntity)
const many = fc.uniqueArray(entity, { selector: ({ id }) => id, maxLength: 30 })

/** Gives every id one of the contents. */
const fill = fc.record({
  kind: fc.constant('fill' as const),
  contents: fc.array(entity, { minLength: 1, maxLength: 10 }),
})

/** Deletes so many from one end of an order that a live query with a limit loses more than its reserve. */
const sweep = fc.record({
  kind: fc.constant('sweep' as const),
  by: fc.constantFrom('id', 'a'),
  direction: fc.constantFrom('asc', 'desc'),
})
const SWEPT = 20

const writes: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fill },
  { weight: 3, arbitrary: sweep },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('put' as const), entity }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('touch' as const), id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('settle' as const), id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('evict' as const), id }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('replicate' as const), entity }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replicateGone' as const), entity }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('putMany' as const), entities: many }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('replicateMany' as const), entities: many }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('deleteMany' as const),
      ids: fc.subarray([...ids], { minLength: 20 }),
    }),
  },
)

const open: fc.Arbitrary<Step> = fc.constant({ kind: 'open' })

const transaction: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('transaction' as const),
  writes: fc.array(fc.oneof({ weight: 3, arbitrary: writes }, { weight: 1, arbitrary: open }), {
    maxLength: 5,
  }),
  throws: fc.boolean(),
})

const single = fc.oneof(
  { weight: 8, arbitrary: writes },
  { weight: 3, arbitrary: transaction },
  { weight: 1, arbitrary: open },
)

export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: single },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('atOnce' as const),
        steps: fc.array(single, { minLength: 2, maxLength: 6 }),
      }),
    },
  ),
  { maxLength: 12 },
)

/** Runs steps on a database, and remembers what each commit was. */
export class StepRunner {
  readonly effectsByTransaction = new Map<number, Effects>()
  readonly #db: EntiDB
  readonly #collection: string
  readonly #open: () => void
  #revision = 0

  /** `open` is what the step of that name does. */
  constructor(db: EntiDB, collection: string, open: () => void) {
    this.#db = db
    this.#collection = collection
    this.#open = open
  }

  async run(step: Step): Promise<void> {
    if (step.kind === 'open') return this.#open()
    if (step.kind === 'atOnce') {
      await Promise.all(step.steps.map((one) => this.run(one)))
      return
    }
    if (step.kind === 'put') return this.#put(step.entity)
    if (step.kind === 'putMany') return this.#putMany(step.entities)
    const effects: Effects[number][] = []
    let transactionId = 0
    try {
      await this.#db.transaction(async (tx) => {
        const all = step.kind === 'transaction' ? step.writes : [step]
        for (const one of all) effects.push(...(await this.#write(tx, one)))
        transactionId = tx.receipt.transactionId
        this.effectsByTransaction.set(transactionId, effects)
        if (step.kind === 'transaction' && step.throws) throw new Rollback()
      })
    } catch (error) {
      if (!(error instanceof Rollback)) throw error
      this.effectsByTransaction.delete(transactionId)
    }
  }

  async #put(entity: AnyEntity): Promise<void> {
    const receipt = await this.#db.collection(this.#collection).put(entity)
    this.effectsByTransaction.set(receipt.transactionId, [[entity.id, entity]])
  }

  async #putMany(entities: readonly AnyEntity[]): Promise<void> {
    const receipt = await this.#db.collection(this.#collection).putMany(entities)
    this.effectsByTransaction.set(
      receipt.transactionId,
      entities.map((entity) => [entity.id, entity]),
    )
  }

  async #write(tx: Transaction, step: Step): Promise<Effects> {
    const collection = this.#collection
    const things = tx.collection(collection)
    switch (step.kind) {
      case 'put':
        await things.put(step.entity)
        return [[step.entity.id, step.entity]]
      case 'putMany':
        await things.putMany(step.entities)
        return step.entities.map((entity) => [entity.id, entity])
      case 'delete':
        await things.delete(step.id)
        return [[step.id, null]]
      case 'deleteMany':
        for (const id of step.ids) await things.delete(id)
        return step.ids.map((id) => [id, null])
      case 'fill': {
        const all = ids.map((id, i) => ({ ...step.contents[i % step.contents.length], id }))
        await things.putMany(all)
        return all.map((entity) => [entity.id, entity])
      }
      case 'sweep': {
        const orderBy = { [step.by]: step.direction }
        const swept = await things.find({ orderBy, limit: SWEPT })
        for (const { id } of swept) await things.delete(id)
        return swept.map(({ id }) => [id, null])
      }
      case 'again': {
        const entity = await things.get(step.id)
        if (entity !== undefined) await things.put(entity)
        return []
      }
      case 'touch': {
        const { bytes } = await tx.replica.state(collection, step.id)
        if (bytes !== null) await tx.replica.touch(collection, step.id)
        return []
      }
      case 'settle': {
        const { bytes, opId } = await tx.replica.state(collection, step.id)
        const committed = { version: ++this.#revision, schemaVersion: 1, bytes }
        await tx.replica.settle(collection, step.id, committed, opId)
        return []
      }
      case 'evict': {
        const { pending } = await tx.replica.state(collection, step.id)
        if (pending) return []
        await tx.replica.evict(collection, step.id)
        return [[step.id, null]]
      }
      case 'replicate':
        await tx.replica.applyRaw(this.#operation(step.entity.id, step.entity))
        return [[step.entity.id, step.entity]]
      case 'replicateGone':
        await tx.replica.applyRaw(this.#operation(step.entity.id, null))
        return [[step.entity.id, null]]
      case 'replicateMany': {
        const operations = step.entities.map((entity) => this.#operation(entity.id, entity))
        const { pending } = await tx.replica.applyNewer(operations)
        return step.entities
          .filter((_, index) => !pending.includes(index))
          .map((entity) => [entity.id, entity])
      }
      case 'open':
        this.#open()
        return []
      default:
        throw new TypeError(`${step.kind} is no write`)
    }
  }

  #operation(entityId: string, entity: AnyEntity | null) {
    const bytes = entity === null ? null : encodeEntity(entity)
    const version = ++this.#revision
    return { collection: this.#collection, entityId, version, schemaVersion: 1, bytes }
  }
}

class Rollback extends Error {}
