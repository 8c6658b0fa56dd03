/**
 * A disk that forgets. What was written and not flushed survives a power loss whole, in part, or not
 * at all, in any combination; a name that was not flushed with its directory may be gone. A flush that
 * fails loses what it was to write, although it can still be read until the power is lost.
 *
 * A `mount` is what one process sees. It can be told to fail at its n-th operation, and to crash
 * there: from then on nothing it does has any effect. `powerLoss` decides what survived.
 */
import { EntiDBError } from '../errors/entidb-error.ts'
import type { DirectoryLock, File, FileSystem, MaybePromise } from '../files/file-system.ts'
import type { Random } from './random.test-kit.ts'

export class SimulatedCrash extends Error {}

type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly size: number }

class Inode {
  visible: Uint8Array = new Uint8Array(0)
  durable: Uint8Array = new Uint8Array(0)
  unflushed: Change[] = []

  change(change: Change): void {
    this.visible = applied(this.visible, change)
    this.unflushed.push(change)
  }

  flush(): void {
    for (const change of this.unflushed) this.durable = applied(this.durable, change)
    this.unflushed = []
  }

  /** The system gives up on what it could not write, but goes on showing it. */
  failFlush(): void {
    this.unflushed = []
  }

  losePower(random: Random): void {
    for (const change of this.unflushed) {
      const survivor = survivorOf(change, random)
      if (survivor !== undefined) this.durable = applied(this.durable, survivor)
    }
    this.visible = this.durable.slice()
    this.unflushed = []
  }
}

function applied(content: Uint8Array, change: Change): Uint8Array {
  const size =
    change.kind === 'truncate'
      ? change.size
      : Math.max(content.length, change.offset + change.bytes.length)
  const result = size === content.length ? content : new Uint8Array(size)
  if (result !== content) result.set(content.subarray(0, size))
  if (change.kind === 'write') result.set(change.bytes, change.offset)
  return result
}

/** What of an unflushed change reached the medium. */
function survivorOf(change: Change, random: Random): Change | undefined {
  if (random.chance(0.4)) return undefined
  if (change.kind === 'truncate' || random.chance(0.5)) return change
  const { offset, bytes } = change
  const cut = random.below(bytes.length + 1)
  if (random.chance(0.5)) return { kind: 'write', offset, bytes: bytes.subarray(0, cut) }
  if (random.chance(0.5)) return { kind: 'write', offset: offset + cut, bytes: bytes.subarray(cut) }
  const torn = bytes.slice()
  torn.set(random.bytes(Math.min(bytes.length - cut, 16)), cut)
  return { kind: 'write', offset, bytes: torn }
}

type Names = Map<string, Inode>

export interface MountOptions {
  /** The operation, counted from 1, at which the process dies. */
  readonly crashAt?: number
  /** Answers with promises where the port allows it. */
  readonly isAsynchronous?: boolean
  /** A flush takes until everything else that can run has run. */
  readonly isFlushSlow?: boolean
  /** Throws what the operation has to fail with. */
  readonly failure?: (operation: string, file: string, count: number) => EntiDBError | undefined
  /** Told of every read. */
  readonly onRead?: (file: string, offset: number, length: number) => void
}

export class SimulatedDisk {
  readonly #random: Random
  #visible: Names = new Map()
  #durable: Names = new Map()
  #unflushedNames: ((names: Names) => void)[] = []

  constructor(random: Random) {
    this.#random = random
  }

  mount(options: MountOptions = {}): SimulatedMount {
    return new SimulatedMount(this, options, this.#random)
  }

  /** Everything that is not flushed is at the mercy of chance. Names keep a prefix of their changes. */
  losePower(): void {
    const kept = this.#random.below(this.#unflushedNames.length + 1)
    for (const change of this.#unflushedNames.slice(0, kept)) change(this.#durable)
    this.#unflushedNames = []
    for (const inode of new Set([...this.#durable.values()])) inode.losePower(this.#random)
    this.#visible = new Map(this.#durable)
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

  changeNames(change: (names: Names) => void): void {
    change(this.#visible)
    this.#unflushedNames.push(change)
  }

  flushNames(): void {
    for (const change of this.#unflushedNames) change(this.#durable)
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

  noteRead(file: string, offset: number, length: number): void {
    this.#options.onRead?.(file, offset, length)
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
    await this.operate('open', name)
    const existing = this.#disk.inode(name)
    if (existing !== undefined) return new SimulatedFile(this, name, existing)
    if (!options.create) return undefined
    const inode = new Inode()
    this.#disk.changeNames((names) => names.set(name, inode))
    return new SimulatedFile(this, name, inode)
  }

  async list(): Promise<readonly string[]> {
    await this.operate('list', '')
    return this.#disk.names()
  }

  async rename(from: string, to: string): Promise<void> {
    await this.operate('rename', from)
    this.#disk.changeNames((names) => {
      const inode = names.get(from)
      if (inode === undefined) return
      names.delete(from)
      names.set(to, inode)
    })
  }

  async remove(name: string): Promise<void> {
    await this.operate('remove', name)
    this.#disk.changeNames((names) => names.delete(name))
  }

  async flushDirectory(): Promise<void> {
    await this.operate('flushDirectory', '')
    this.#disk.flushNames()
  }

  /** Counts an operation; `failing` runs when it fails, or when the process dies in it. */
  operate(
    operation: string,
    file: string,
    failing: (isDeath: boolean) => void = () => {},
  ): MaybePromise<void> {
    if (this.#crashed) throw new SimulatedCrash()
    this.operations++
    this.last = [operation, file]
    if (this.operations === this.#options.crashAt) {
      failing(true)
      this.#crashed = true
      throw new SimulatedCrash()
    }
    const failure = this.#options.failure?.(operation, file, this.operations)
    if (failure !== undefined) {
      failing(false)
      throw failure
    }
    if (this.#options.isAsynchronous === true) return Promise.resolve()
  }

  /** A write that ends early got this far. */
  partOf(bytes: Uint8Array): Uint8Array {
    return bytes.slice(0, this.#random.below(bytes.length + 1))
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
    const waiting = this.#mount.operate('write', this.name, () => write(this.#mount.partOf(bytes)))
    return waiting instanceof Promise ? waiting.then(() => write(bytes)) : write(bytes)
  }

  truncate(size: number): MaybePromise<void> {
    const truncate = (): void => this.#inode.change({ kind: 'truncate', size })
    const waiting = this.#mount.operate('truncate', this.name)
    return waiting instanceof Promise ? waiting.then(truncate) : truncate()
  }

  async flush(): Promise<void> {
    if (this.#mount.isFlushSlow) await new Promise((resolve) => setImmediate(resolve))
    await this.#mount.operate('flush', this.name, (isDeath) => {
      if (!isDeath) this.#inode.failFlush()
    })
    this.#inode.flush()
  }

  async close(): Promise<void> {}
}
