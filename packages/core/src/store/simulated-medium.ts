/** What a simulated disk keeps: files as they look, and as they would be after a power loss. */
import type { Random } from './random.ts'

/** What was done to a file. */
export type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly size: number }

/** A file, by whatever names. */
export class Inode {
  visible: Uint8Array = new Uint8Array(0)
  durable: Uint8Array = new Uint8Array(0)
  unflushed: Change[] = []
  /** Counts all changes. */
  changes = 0

  change(change: Change): void {
    this.visible = applied(this.visible, change)
    this.unflushed.push(change)
    this.changes++
  }

  /** All up to the change that was the `through`-th, counted from 1. */
  flush(through: number = this.changes): void {
    const later = Math.min(this.changes - through, this.unflushed.length)
    for (const change of this.unflushed.splice(0, this.unflushed.length - later)) {
      this.durable = applied(this.durable, change)
    }
  }

  /** The system gives up on what it could not write, but goes on showing it. */
  failFlush(): void {
    this.unflushed = []
  }

  losePower(random: Random): void {
    for (const change of this.unflushed) {
      for (const survivor of survivorsOf(change, random)) {
        this.durable = applied(this.durable, survivor)
      }
    }
    this.visible = this.durable.slice()
    this.unflushed = []
  }
}

/** Changes `content` in place where its size stays. */
export function applied(content: Uint8Array, change: Change): Uint8Array {
  const size =
    change.kind === 'truncate'
      ? change.size
      : Math.max(content.length, change.offset + change.bytes.length)
  const result = size === content.length ? content : new Uint8Array(size)
  if (result !== content) result.set(content.subarray(0, size))
  if (change.kind === 'write') result.set(change.bytes, change.offset)
  return result
}

/** What the medium writes as a whole, or not at all. */
const SECTOR_BYTES = 512

/** The parts of a write that lie in different sectors. */
export function sectorsOf(change: Change): Change[] {
  if (change.kind === 'truncate') return [change]
  const sectors: Change[] = []
  const end = change.offset + change.bytes.length
  for (let offset = change.offset; offset < end; ) {
    const next = Math.min(end, offset - (offset % SECTOR_BYTES) + SECTOR_BYTES)
    const bytes = change.bytes.subarray(offset - change.offset, next - change.offset)
    sectors.push({ kind: 'write', offset, bytes })
    offset = next
  }
  return sectors
}

/** What of an unflushed change reached the medium, by chance: torn between sectors, or within one. */
export function survivorsOf(change: Change, random: Random): readonly Change[] {
  if (random.chance(0.4)) return []
  if (change.kind === 'truncate' || random.chance(0.4)) return [change]
  const { offset, bytes } = change
  if (random.chance(0.4)) return sectorsOf(change).filter(() => random.chance(0.5))
  const cut = random.below(bytes.length + 1)
  if (random.chance(0.5)) return [{ kind: 'write', offset, bytes: bytes.subarray(0, cut) }]
  if (random.chance(0.5)) {
    return [{ kind: 'write', offset: offset + cut, bytes: bytes.subarray(cut) }]
  }
  const torn = bytes.slice()
  torn.set(random.bytes(Math.min(bytes.length - cut, 16)), cut)
  return [{ kind: 'write', offset, bytes: torn }]
}

export type Names = Map<string, Inode>

/** What happens to a name and is durable with its directory. */
export type NameChange =
  | { readonly kind: 'create'; readonly name: string; readonly inode: Inode }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly name: string }

export function changeNames(names: Names, change: NameChange): void {
  if (change.kind === 'create') names.set(change.name, change.inode)
  else if (change.kind === 'remove') names.delete(change.name)
  else {
    const inode = names.get(change.from)
    if (inode === undefined) return
    names.delete(change.from)
    names.set(change.to, inode)
  }
}

/** What a power loss leaves: which changes of names, and what of each change of a file. */
export interface Survival {
  readonly names: readonly boolean[]
  /** By the index of the change in `SimulatedDisk.unflushed`. */
  survivors(change: Change, index: number): readonly Change[]
}
