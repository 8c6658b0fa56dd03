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

  /** Keys of the notes with a `skipThrough`. */
  keysThatSkip(): Iterable<string> {
    return this.#skipping
  }

  set(note: NoteRow): void {
    const before = this.#byKey.get(note.id)?.group ?? null
    this.#byKey.set(note.id, note)
    if (note.skipThrough > 0) this.#skipping.add(note.id)
    else this.#skipping.delete(note.id)
    if (before === note.group) return
    this.#leave(note.id, before)
    this.#enter(note.id, note.group)
  }

  delete(key: string): void {
    this.#leave(key, this.#byKey.get(key)?.group ?? null)
    this.#byKey.delete(key)
    this.#skipping.delete(key)
  }

  #enter(key: string, group: number | null): void {
    if (group === null) return
    const members = this.#byGroup.get(group) ?? new Set()
    this.#byGroup.set(group, members.add(key))
    this.#heldCount += 1
  }

  #leave(key: string, group: number | null): void {
    if (group === null) return
    const members = this.#byGroup.get(group)
    members?.delete(key)
    if (members?.size === 0) this.#byGroup.delete(group)
    this.#heldCount -= 1
  }
}
