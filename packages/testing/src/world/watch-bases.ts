/** Notes what the late saves of a transaction were made on. */
import type { PutOptions, Transaction } from '@entidb/core'
import { type Contents, changedKeys } from '../oracle/contents.ts'
import type { LateBase, MadeOn } from '../oracle/oracle.ts'
import type { Written } from '../oracle/shapes.ts'

export interface WatchedTransaction {
  /** Does what the transaction does. */
  readonly watched: Transaction
  /** What `basedOn` named, by `collection/id`. */
  readonly basedOn: Map<string, LateBase>
  /** What was put, also where that changed nothing, by `collection/id`. */
  readonly puts: Set<string>
}

/** `seen`: how the entities are stored that transactions of the device got. */
export function watchBases(tx: Transaction, seen: WeakMap<object, Written>): WatchedTransaction {
  const basedOn = new Map<string, LateBase>()
  const puts = new Set<string>()
  const collection = (name: string): unknown => {
    const real = tx.collection(name)
    return standIn(real, {
      get: async (id: string) => {
        const entity = await real.get(id)
        const raw = await real.getRaw(id)
        if (entity !== undefined && raw !== undefined) seen.set(entity, raw)
        return entity
      },
      put: (entity: { readonly id: string }, options?: PutOptions<{ readonly id: string }>) => {
        const base = options?.basedOn
        const key = `${name}/${entity.id}`
        puts.add(key)
        if (base === undefined) basedOn.delete(key)
        else basedOn.set(key, { entity: base, stored: seen.get(base) })
        return real.put(entity, options)
      },
    })
  }
  return { watched: standIn(tx, { collection }), basedOn, puts }
}

/** What the writes of a transaction were made on, where the content before does not tell. */
export async function readMadeOn(
  tx: Transaction,
  before: Contents,
  after: Contents,
  basedOn: ReadonlyMap<string, LateBase>,
): Promise<ReadonlyMap<string, MadeOn>> {
  const madeOn = new Map<string, MadeOn>()
  for (const key of changedKeys(before, after)) {
    const late = basedOn.get(key)
    const revision = before.has(key) ? undefined : await knownDelete(tx, key)
    madeOn.set(key, {
      ...(late === undefined ? {} : { late }),
      ...(revision === undefined ? {} : { revision }),
    })
  }
  return madeOn
}

async function knownDelete(tx: Transaction, key: string): Promise<number | undefined> {
  const slash = key.indexOf('/')
  const { base } = await tx.replica.state(key.slice(0, slash), key.slice(slash + 1))
  return base.bytes === null && base.version > 0 ? base.version : undefined
}

/** `target` with some methods in place of its own. */
function standIn<T extends object>(target: T, methods: Readonly<Record<string, unknown>>): T {
  return new Proxy(target, {
    get: (_, name) => {
      if (typeof name === 'string' && Object.hasOwn(methods, name)) return methods[name]
      const value: unknown = Reflect.get(target, name, target)
      // Private fields know the real object alone.
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
