/**
 * Any history of local edits, replicated states of any version, and openings by ever newer code: what is read is
 * what a model says, by id and by every index, and the database is whole.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CollectionDefinition } from './collection-definition.ts'
import type { EntiDB } from './database.ts'
import { memoryStorage } from './memory-storage.ts'
import {
  firstVersion,
  openPeople,
  type Person,
  rawPerson,
  secondVersion,
  thirdVersion,
  toSecond,
  toThird,
} from './migrations.test-kit.ts'

const codes: readonly CollectionDefinition[] = [
  { ...firstVersion, indexes: { byName: ['name'], byLast: ['last'] } },
  secondVersion,
  thirdVersion,
]
const NEWEST = 4

interface Stored {
  readonly entity: Person
  readonly version: number
  readonly isReplicated: boolean
  readonly isPending: boolean
}

/** As readers see it; undefined when migrating it fails. A migration may return any entity: these return persons. */
function readBy(code: number, { entity, version }: Stored): Person | undefined {
  let person = entity
  if (version < 2 && code >= 2) {
    if (person.name === undefined) return undefined
    person = toSecond(person) as Person
  }
  return version < 3 && code >= 3 ? (toThird(person) as Person) : person
}

/** An entity as code of that version makes it; `spoilt` ones of version 1 cannot be migrated. */
function personOf(id: string, n: number, version: number, isSpoilt: boolean): Person {
  if (version === 1) return isSpoilt ? { id, last: `L${n}` } : { id, name: `F${n} L${n % 2}` }
  const person = { id, first: `F${n}`, last: `L${n % 2}` }
  if (version === 2) return person
  return version === 3
    ? { ...person, status: n === 0 ? 'new' : 'old' }
    : { ...person, status: 'old', tags: [n] }
}

const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const numbers = fc.nat(3)
const actions = fc.oneof(
  fc.record({ kind: fc.constant('put'), id: ids, n: numbers }),
  fc.record({ kind: fc.constant('edit'), id: ids, n: numbers }),
  fc.record({ kind: fc.constant('delete'), id: ids, n: numbers }),
  fc.record({
    kind: fc.constant('apply'),
    id: ids,
    n: numbers,
    version: fc.integer({ min: 1, max: NEWEST }),
    isSpoilt: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('open'), id: ids, n: fc.nat(1) }),
)
type Action = {
  kind: string
  id: string
  n: number
  version?: number
  isSpoilt?: boolean
}

class Run {
  readonly storage = memoryStorage()
  readonly stored = new Map<string, Stored>()
  readonly changeFeed: boolean
  code = 1
  #revision = 0
  #db: EntiDB<{ people: CollectionDefinition }> | undefined

  constructor(changeFeed: boolean) {
    this.changeFeed = changeFeed
  }

  get db(): EntiDB<{ people: CollectionDefinition }> {
    if (this.#db === undefined) throw new Error('not open')
    return this.#db
  }

  async open(code: number): Promise<void> {
    await this.#db?.close()
    const { storage, changeFeed } = this
    const open = (version: number) =>
      openPeople(storage, codes[version - 1] ?? firstVersion, { changeFeed })
    const isRefused =
      code > this.code &&
      [...this.stored.values()].some((one) => isLocal(one) && readBy(code, one) === undefined)
    if (isRefused) await expect(open(code)).rejects.toMatchObject({ code: 'migration_failed' })
    else this.code = code
    this.#db = await open(this.code)
    if (!changeFeed) this.#rewrite()
  }

  #rewrite(): void {
    for (const [id, one] of this.stored) {
      const entity = readBy(this.code, one)
      if (one.isReplicated || entity === undefined || one.version >= this.code) continue
      this.stored.set(id, { ...one, entity, version: this.code })
    }
  }

  async act({ kind, id, n, version = 1, isSpoilt = false }: Action): Promise<void> {
    const people = this.db.collection('people')
    const before = this.stored.get(id)
    if (kind === 'open') {
      await this.open(Math.min(this.code + n, codes.length))
    } else if (kind === 'put') {
      await this.#write(personOf(id, n, this.code, false), before)
    } else if (kind === 'edit') {
      const read = before === undefined ? undefined : readBy(this.code, before)
      if (read !== undefined) await this.#write({ ...read, last: `L${n}` }, before)
    } else if (kind === 'delete') {
      await people.delete(id)
      this.stored.delete(id)
    } else {
      const entity = personOf(id, n, version, isSpoilt)
      await this.db.transaction((tx) => tx.applyRaw(rawPerson(entity, ++this.#revision, version)))
      this.stored.set(id, { entity, version, isReplicated: true, isPending: false })
    }
  }

  async #write(entity: Person, before: Stored | undefined): Promise<void> {
    await this.db.collection('people').put(entity)
    const raw = await this.db.collection('people').getRaw(entity.id)
    const isEdit =
      before !== undefined &&
      before.version > this.code &&
      Object.keys(before.entity).every((name) => name in entity)
    const version = isEdit ? before.version : this.code
    const isReplicated = (raw?.version ?? 0) > 0
    this.stored.set(entity.id, { entity, version, isReplicated, isPending: true })
  }

  /** Reads by id, by scan and by index; and is the database whole? */
  async check(): Promise<void> {
    const people = this.db.collection('people')
    const readable: Person[] = []
    const unreadable: string[] = []
    for (const [id, one] of [...this.stored].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const expected = readBy(this.code, one)
      expect(await people.getRaw(id)).toMatchObject({ schemaVersion: one.version })
      if (expected === undefined) {
        unreadable.push(id)
        await expect(people.get(id)).rejects.toMatchObject({ code: 'migration_failed' })
      } else {
        readable.push(expected)
        expect(await people.get(id)).toEqual(expected)
      }
    }
    for (const where of [{}, { last: 'L1' }, { status: 'new' }, { name: 'F1 L1' }]) {
      const expected = readable.filter((person) =>
        Object.entries(where).every(([name, value]) => person[name] === value),
      )
      // One that cannot be read is never left out in silence, but may be passed by.
      const found = await people.find({ where }).catch((error) => error.code)
      if (unreadable.length === 0 || found !== 'migration_failed') expect(found).toEqual(expected)
    }
    const { problems } = await this.db.verify()
    expect(problems.map(({ code, id }) => `${code} ${id}`)).toEqual(
      unreadable.map((id) => `migration_failed ${id}`),
    )
  }
}

function isLocal({ isReplicated, isPending }: Stored): boolean {
  return !isReplicated || isPending
}

describe('migrations of any history', () => {
  test.each([
    ['without a change feed', false],
    ['with a change feed', true],
  ])('%s -> read as the model says', { timeout: 120_000 }, async (_, changeFeed) => {
    await fc.assert(
      fc.asyncProperty(fc.array(actions, { maxLength: 25 }), async (history) => {
        const run = new Run(changeFeed)
        await run.open(1)
        for (const action of history) {
          await run.act(action)
          await run.check()
        }
        await run.open(codes.length)
        await run.check()
        await run.db.close()
      }),
      { numRuns: 150 },
    )
  })
})
