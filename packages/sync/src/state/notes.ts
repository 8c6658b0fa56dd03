/**
 * Notes by the entity they are of, which of them are held in which group, and which have operations in the feed that are
 * accounted for: each found without a look at the others.
 */
import type { NoteRow } from './rows.ts'

export type ReadonlyNotes = Omit<Notes, 'set' | 'delete'>

export class Notes {
  readonly #byKey = new Map<string, NoteRow>()
  /** Keys of the members of each group that has some. */
  readonly #byGroup = new Map<number, Set<string>>()
  /** As `#byGroup`, of those that were rejected. */
  readonly #rejected = new Map<number, Set<string>>()
  readonly #skipping = new Set<string>()
  #heldCount = 0

  constructor(notes: Iterable<NoteRow> = []) {
    for (const note of notes) this.set(note)
  }

  get size(): number {
    return this.#byKey.size
  }

  /** Number of notes of entities in some group. */
  get heldCount(): number {
    return this.#heldCount
  }

  get(key: string): NoteRow | undefined {
    return this.#byKey.get(key)
  }

  has(key: string): boolean {
    return this.#byKey.has(key)
  }

  values(): Iterable<NoteRow> {
    return this.#byKey.values()
  }

  keysOfGroup(group: number): Iterable<string> {
    return this.#byGroup.get(group) ?? []
  }

  groupSize(group: number): number {
    return this.#byGroup.get(group)?.size ?? 0
  }

  keysOfRejected(group: number): Iterable<string> {
    return this.#rejected.get(group) ?? []
  }

  /** Keys of the notes with a `skipThrough`. */
  keysThatSkip(): Iterable<string> {
    return this.#skipping
  }

  set(note: NoteRow): void {
    const before = this.#byKey.get(note.id)
    this.#byKey.set(note.id, note)
    if (note.skipThrough > 0) this.#skipping.add(note.id)
    else this.#skipping.delete(note.id)
    if (before !== undefined) this.#leave(before)
    this.#enter(note)
  }

  delete(key: string): void {
    const before = this.#byKey.get(key)
    if (before !== undefined) this.#leave(before)
    this.#byKey.delete(key)
    this.#skipping.delete(key)
  }

  #enter({ id, group, rejection }: NoteRow): void {
    if (group === null) return
    add(this.#byGroup, group, id)
    if (rejection !== null) add(this.#rejected, group, id)
    this.#heldCount += 1
  }

  #leave({ id, group }: NoteRow): void {
    if (group === null) return
    remove(this.#byGroup, group, id)
    remove(this.#rejected, group, id)
    this.#heldCount -= 1
  }
}

function add(byGroup: Map<number, Set<string>>, group: number, key: string): void {
  const keys = byGroup.get(group) ?? new Set()
  byGroup.set(group, keys.add(key))
}

function remove(byGroup: Map<number, Set<string>>, group: number, key: string): void {
  const keys = byGroup.get(group)
  keys?.delete(key)
  if (keys?.size === 0) byGroup.delete(group)
}
