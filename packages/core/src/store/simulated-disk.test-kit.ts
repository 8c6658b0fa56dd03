/**
 * A disk that forgets. What was written and not flushed survives a power loss whole, in part, or not
 * at all, in any combination; a name that was not flushed with its directory may be gone. A flush that
 * fails loses what it was to write, although it can still be read until the power is lost.
 *
 * A `mount` is what one process sees. It can be told to fail at its n-th operation, and to crash
 * there: from then on nothing it does has any effect. `losePower` decides by chance what survived,
 * `contentAfter` as it is told (`power-losses.test-kit.ts` tries them all).
 */
import { EntiDBError } from '../errors/entidb-error.ts'
import type { DirectoryLock, File, FileSystem, MaybePromise } from '../files/file-system.ts'
import type { Random } from './random.test-kit.ts'
import {
  applied,
  type Change,
  changeNames,
  Inode,
  type NameChange,
  type Names,
  type Survival,
} from './simulated-medium.test-kit.ts'

export class SimulatedCrash extends Error {}

export interface MountOptions {
  /** The operation, counted from 1, at which the process dies. */
  readonly crashAt?: number
  /** Answers with promises where the port allows it. */
  readonly isAsynchronous?: boolean
  /** A flush takes until everything else that can run has run. */
  readonly isFlushSlow?: boolean
  /** Throws what the operation has to fail with. */
  readonly failure?: (
    operation: string,
    file: string,
    count: number,
    /** Bytes by which the operation makes the files longer; at least one for a new file. */
    growth: number,
  ) => EntiDBError | undefined
  /** Told of every read. */
  readonly onRead?: (file: string, offset: number, length: number) => void
}

export class SimulatedDisk {
  readonly #random: Random
  #visible: Names = new Map()
  #durable: Names = new Map()
  #unflushedNames: NameChange[] = []
  #mounts: SimulatedMount[] = []

  constructor(random: Random) {
    this.#random = random
  }

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

  replace(name: string, content: Uint8Array): void {
    const inode = new Inode()
    inode.visible = content.slice()
    inode.durable = content.slice()
    this.#visible.set(name, inode)
    this.#durable.set(name, inode)
  }

  names(): string[] {
    return [...this.#visible.keys()].sort()
  }

  /** All files, to put the disk back to this point. */
  image(): Map<string, Uint8Array> {
    return new Map(this.names().map((name) => [name, this.content(name).slice()]))
  }

  inode(name: string): Inode | undefined {
    return this.#visible.get(name)
  }

  changeNames(change: NameChange): void {
    changeNames(this.#visible, change)
    this.#unflushedNames.push(change)
  }

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

export class SimulatedMount implements FileSystem {
  readonly description = 'simulated disk'
  readonly #disk: SimulatedDisk
  readonly #options: MountOptions
  readonly #random: Random
  #crashed = false
  #isDead = false
  #locked = false
  operations = 0
  /** The last operation: its kind and file. */
  last: readonly [operation: string, file: string] = ['', '']

  constructor(disk: SimulatedDisk, options: MountOptions, random: Random) {
    this.#disk = disk
    this.#options = options
    this.#random = random
  }

  get isCrashed(): boolean {
    return this.#crashed
  }

  /** As `kill`; whether it crashed of itself can still be asked. */
  die(): void {
    this.#isDead = true
  }

  /** From now on nothing that this process does has any effect. */
  kill(): void {
    this.#crashed = true
  }

  noteRead(file: string, offset: number, length: number): void {
    this.#options.onRead?.(file, offset, length)
  }

  get isAsynchronous(): boolean {
    return this.#options.isAsynchronous === true
  }

  get isFlushSlow(): boolean {
    return this.#options.isFlushSlow === true
  }

  async lock(): Promise<DirectoryLock> {
    if (this.#locked) throw new EntiDBError('database_locked', 'locked')
    this.#locked = true
    return {
      release: async () => {
        this.#locked = false
      },
    }
  }

  async open(name: string, options: { readonly create: boolean }): Promise<File | undefined> {
    const isNew = options.create && this.#disk.inode(name) === undefined
    await this.operate('open', name, isNew ? 1 : 0)
    const existing = this.#disk.inode(name)
    if (existing !== undefined) return new SimulatedFile(this, name, existing)
    if (!options.create) return undefined
    const inode = new Inode()
    this.#disk.changeNames({ kind: 'create', name, inode })
    return new SimulatedFile(this, name, inode)
  }

  async list(): Promise<readonly string[]> {
    await this.operate('list', '')
    return this.#disk.names()
  }

  async rename(from: string, to: string): Promise<void> {
    await this.operate('rename', from)
    this.#disk.changeNames({ kind: 'rename', from, to })
  }

  async remove(name: string): Promise<void> {
    await this.operate('remove', name)
    this.#disk.changeNames({ kind: 'remove', name })
  }

  async flushDirectory(): Promise<void> {
    await this.operate('flushDirectory', '')
    this.#disk.flushNames()
  }

  /** Counts an operation; `failing` runs when it fails, or when the process dies in it. */
  operate(
    operation: string,
    file: string,
    growth = 0,
    failing: (isDeath: boolean) => void = () => {},
  ): MaybePromise<void> {
    if (this.#crashed || this.#isDead) throw new SimulatedCrash()
    this.operations++
    this.last = [operation, file]
    if (this.operations === this.#options.crashAt) {
      failing(true)
      this.#crashed = true
      throw new SimulatedCrash()
    }
    const failure = this.#options.failure?.(operation, file, this.operations, growth)
    if (failure !== undefined) {
      failing(false)
      throw failure
    }
    if (this.#options.isAsynchronous === true) return Promise.resolve()
  }

  /** A write that ends early got this far: nowhere, to its end, or in between. */
  partOf(bytes: Uint8Array): Uint8Array {
    const length = [0, bytes.length, this.#random.below(bytes.length + 1)][this.#random.below(3)]
    return bytes.slice(0, length)
  }
}

class SimulatedFile implements File {
  readonly name: string
  readonly #mount: SimulatedMount
  readonly #inode: Inode

  constructor(mount: SimulatedMount, name: string, inode: Inode) {
    this.#mount = mount
    this.name = name
    this.#inode = inode
  }

  size(): number {
    return this.#inode.visible.length
  }

  readAt(offset: number, target: Uint8Array): MaybePromise<number> {
    this.#mount.noteRead(this.name, offset, target.length)
    const read = (): number => {
      const part = this.#inode.visible.subarray(offset, offset + target.length)
      target.set(part)
      return part.length
    }
    const waiting = this.#mount.operate('read', this.name)
    return waiting instanceof Promise ? waiting.then(read) : read()
  }

  writeAt(offset: number, bytes: Uint8Array): MaybePromise<void> {
    const write = (part: Uint8Array): void => {
      this.#inode.change({ kind: 'write', offset, bytes: part.slice() })
    }
    const growth = Math.max(0, offset + bytes.length - this.size())
    const waiting = this.#mount.operate('write', this.name, growth, () =>
      write(this.#mount.partOf(bytes)),
    )
    return waiting instanceof Promise ? waiting.then(() => write(bytes)) : write(bytes)
  }

  truncate(size: number): MaybePromise<void> {
    const truncate = (): void => this.#inode.change({ kind: 'truncate', size })
    const waiting = this.#mount.operate('truncate', this.name)
    return waiting instanceof Promise ? waiting.then(truncate) : truncate()
  }

  async flush(): Promise<void> {
    if (this.#mount.isFlushSlow) await new Promise((resolve) => setImmediate(resolve))
    await this.#operateFlush()
    this.#inode.flush()
  }

  /** Where everything else is answered at once, this is too. */
  get flushSync(): (() => boolean) | undefined {
    if (this.#mount.isFlushSlow || this.#mount.isAsynchronous) return undefined
    return () => {
      void this.#operateFlush()
      this.#inode.flush()
      return true
    }
  }

  #operateFlush(): MaybePromise<void> {
    return this.#mount.operate('flush', this.name, 0, (isDeath) => {
      if (!isDeath) this.#inode.failFlush()
    })
  }

  async close(): Promise<void> {}
}
