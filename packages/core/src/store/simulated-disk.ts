/**
 * A disk that forgets. What was written and not flushed survives a power loss whole, in part, or not
 * at all, in any combination; a name that was not flushed with its directory may be gone. A flush that
 * fails loses what it was to write, although it can still be read until the power is lost.
 *
 * A `mount` is what one process sees. It can be told to fail at its n-th operation, and to crash
 * there: from then on nothing it does has any effect. `losePower` decides by chance what survived,
 * `contentAfter` as it is told (`power-losses.test-kit.ts` tries them all).
 */
import type { Random } from './random.ts'
import {
  applied,
  type Change,
  changeNames,
  Inode,
  type NameChange,
  type Names,
  type Survival,
} from './simulated-medium.ts'
import { type MountOptions, SimulatedMount } from './simulated-mount.ts'

/** A medium with one directory of files, and whoever uses it. */
export class SimulatedDisk {
  readonly #random: Random
  #visible: Names = new Map()
  #durable: Names = new Map()
  #unflushedNames: NameChange[] = []
  #mounts: SimulatedMount[] = []

  constructor(random: Random) {
    this.#random = random
  }

  /** The files as one process sees them. */
  mount(options: MountOptions = {}): SimulatedMount {
    const mount = new SimulatedMount(this, options, this.#random)
    this.#mounts.push(mount)
    return mount
  }

  /**
   * Everything that is not flushed is at the mercy of chance. Names keep a prefix of their changes. Whoever
   * used the disk is dead.
   */
  losePower(): void {
    for (const mount of this.#mounts.splice(0)) mount.die()
    const kept = this.#random.below(this.#unflushedNames.length + 1)
    for (const change of this.#unflushedNames.slice(0, kept)) changeNames(this.#durable, change)
    this.#unflushedNames = []
    for (const inode of new Set([...this.#durable.values()])) inode.losePower(this.#random)
    this.#visible = new Map(this.#durable)
  }

  /** What is at the mercy of a power loss: how many changes of names, and the changes of files. */
  unflushed(): { readonly names: number; readonly changes: readonly Change[] } {
    return {
      names: this.#unflushedNames.length,
      changes: this.#inodes().flatMap((inode) => inode.unflushed),
    }
  }

  /** The files as a power loss would leave them. Changes nothing. */
  contentAfter(survival: Survival): Map<string, Uint8Array> {
    const contents = new Map<Inode, Uint8Array>()
    let index = 0
    for (const inode of this.#inodes()) {
      let content: Uint8Array = inode.durable.slice()
      for (const change of inode.unflushed) {
        for (const survivor of survival.survivors(change, index))
          content = applied(content, survivor)
        index++
      }
      contents.set(inode, content)
    }
    const names = new Map(this.#durable)
    for (const [i, change] of this.#unflushedNames.entries()) {
      if (survival.names[i] === true) changeNames(names, change)
    }
    return new Map([...names].map(([name, inode]) => [name, contents.get(inode) ?? inode.durable]))
  }

  /** All that may have a name after a power loss. */
  #inodes(): Inode[] {
    const created = this.#unflushedNames.flatMap((change) =>
      change.kind === 'create' ? [change.inode] : [],
    )
    return [...new Set([...this.#durable.values(), ...created])]
  }

  /** The content of a file, to look at or to damage. */
  content(name: string): Uint8Array {
    const inode = this.#visible.get(name)
    if (inode === undefined) throw new Error(`no file ${name}`)
    return inode.visible
  }

  /** Puts a durable file there. */
  replace(name: string, content: Uint8Array): void {
    const inode = new Inode()
    inode.visible = content.slice()
    inode.durable = content.slice()
    this.#visible.set(name, inode)
    this.#durable.set(name, inode)
  }

  /** Of the files there are, in order. */
  names(): string[] {
    return [...this.#visible.keys()].sort()
  }

  /** All files, to put the disk back to this point. */
  image(): Map<string, Uint8Array> {
    return new Map(this.names().map((name) => [name, this.content(name).slice()]))
  }

  /** @internal */
  inode(name: string): Inode | undefined {
    return this.#visible.get(name)
  }

  /** @internal */
  changeNames(change: NameChange): void {
    changeNames(this.#visible, change)
    this.#unflushedNames.push(change)
  }

  /** @internal */
  flushNames(): void {
    for (const change of this.#unflushedNames) changeNames(this.#durable, change)
    this.#unflushedNames = []
  }
}

/** A disk with these files, all durable. */
export function diskWith(random: Random, image: ReadonlyMap<string, Uint8Array>): SimulatedDisk {
  const disk = new SimulatedDisk(random)
  for (const [name, content] of image) disk.replace(name, content)
  return disk
}
