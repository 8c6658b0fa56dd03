/** Notes what the late writes of a transaction were made on. */
import type { Collection, Entity, PageQuery, PutOptions, Query, Transaction } from '@entidb/core'
import { type Contents, changedKeys } from '../oracle/contents.ts'
import type { LateBase, MadeOn } from '../oracle/oracle.ts'
import type { SeenEntities } from './seen-entities.ts'

export interface WatchedTransaction {
  /** Does what the transaction does. */
  readonly watched: Transaction
  /** What `basedOn` named, by `collection/id`. */
  readonly basedOn: Map<string, LateBase>
  /** What was put, also where that changed nothing, by `collection/id`. */
  readonly puts: Set<string>
}

type Change = (entity: Readonly<Entity>) => Readonly<Entity>

/** `seen`: what transactions of the device got. */
export function watchBases(tx: Transaction, seen: SeenEntities): WatchedTransaction {
  const basedOn = new Map<string, LateBase>()
  const puts = new Set<string>()
  const collection = (name: string): unknown => {
    const real: Collection<Entity> = tx.collection(name)
    const remember = (query: Query<Entity> | undefined, found: readonly Entity[]): void => {
      // What is cut out of an entity has no version.
      if (query?.select === undefined) for (const each of found) seen.add(each)
    }
    const note = (id: string, { basedOn: base }: PutOptions<Entity> = {}): void => {
      const key = `${name}/${id}`
      if (base === undefined) basedOn.delete(key)
      else basedOn.set(key, seen.baseOf(base))
    }
    const notePut = (id: string, options?: PutOptions<Entity>): void => {
      puts.add(`${name}/${id}`)
      note(id, options)
    }
    return standIn(real, {
      get: async (id: string) => {
        const entity = await real.get(id)
        const raw = await real.getRaw(id)
        if (entity !== undefined && raw !== undefined) seen.add(entity, raw)
        return entity
      },
      getMany: async (ids: readonly string[]) => {
        const found = await real.getMany(ids)
        for (const each of found) if (each !== undefined) seen.add(each)
        return found
      },
      find: async (query?: Query<Entity>) => {
        const found = await real.find(query)
        remember(query, found)
        return found
      },
      first: async (query?: Query<Entity>) => {
        const found = await real.first(query)
        if (found !== undefined) remember(query, [found])
        return found
      },
      findPage: async (query: PageQuery<Entity>) => {
        const page = await real.findPage(query)
        remember(query, page.items)
        return page
      },
      put: (entity: Entity, options?: PutOptions<Entity>) => {
        if (isNamed(entity)) notePut(entity.id, options)
        return real.put(entity, options)
      },
      insert: (entity: Entity) => {
        if (isNamed(entity)) notePut(entity.id)
        return real.insert(entity)
      },
      putMany: (entities: Iterable<Entity>) => {
        const list = [...entities]
        for (const entity of list) if (isNamed(entity)) notePut(entity.id)
        return real.putMany(list)
      },
      update: (id: string, change: Change) => {
        notePut(id)
        return real.update(id, change)
      },
      delete: (id: string, options?: PutOptions<Entity>) => {
        note(id, options)
        return real.delete(id, options)
      },
    })
  }
  return { watched: standIn(tx, { collection }), basedOn, puts }
}

/** What is none is refused by the write, with a reason. */
function isNamed(entity: Entity | null | undefined): entity is Entity {
  return typeof entity?.id === 'string'
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
