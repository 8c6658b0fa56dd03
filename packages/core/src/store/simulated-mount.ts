/** What one process sees of a simulated disk: a `FileSystem` that fails, crashes and dies as it is told. */
import { EntiDBError } from '../errors/entidb-error.ts'
import type { DirectoryLock, File, FileSystem, MaybePromise } from '../files/file-system.ts'
import type { Random } from './random.ts'
import type { SimulatedDisk } from './simulated-disk.ts'
import { Inode } from './simulated-medium.ts'

/** Thrown at a process by every operation from its crash on. */
export class SimulatedCrash extends Error {}

/** How a mount behaves. */
export interface MountOptions {
  /** The operation, counted from 1, at which the process dies. */
  readonly crashAt?: number
  /**
   * A dead process gets no answers any more: its code never goes on, as if it was not there. Otherwise every
   * operation throws a `SimulatedCrash`.
   */
  readonly isDeathSilent?: boolean
  /** Told when the process dies at `crashAt`. */
  readonly onCrash?: () => void
  /** Answers with promises where the port allows it. */
  readonly isAsynchronous?: boolean
  /** A flush ends when this has: whatever the process does meanwhile is not part of it. Absent: at once. */
  readonly flushDelay?: () => Promise<void>
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

/** The files of a `SimulatedDisk` as one process sees them. */
export class SimulatedMount implements FileSystem {
  /** For messages. */
  readonly description = 'simulated disk'
  readonly #disk: SimulatedDisk
  readonly #options: MountOptions
  readonly #random: Random
  #crashAt: number | undefined
  #crashed = false
  #isDead = false
  #locked = false
  /** How many there were. */
  operations = 0
  /** The last operation: its kind and file. */
  last: readonly [operation: string, file: string] = ['', '']

  constructor(disk: SimulatedDisk, options: MountOptions, random: Random) {
    this.#disk = disk
    this.#options = options
    this.#random = random
    this.#crashAt = options.crashAt
  }

  /** The process dies at the `operations`-th operation from now, or not at all. */
  crashIn(operations: number | undefined): void {
    this.#crashAt = operations === undefined ? undefined : this.operations + operations
  }

  /** At `crashAt`, or killed. */
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

  /** @internal */
  noteRead(file: string, offset: number, length: number): void {
    this.#options.onRead?.(file, offset, length)
  }

  /** @internal */
  get isAsynchronous(): boolean {
    return this.#options.isAsynchronous === true
  }

  /** @internal */
  get flushDelay(): (() => Promise<void>) | undefined {
    return this.#options.flushDelay
  }

  /** `database_locked` for a second one. */
  async lock(): Promise<DirectoryLock> {
    if (this.#locked) throw new EntiDBError('database_locked', 'locked')
    this.#locked = true
    return {
      release: async () => {
        this.#locked = false
      },
    }
  }

  /** As `FileSystem` says. */
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

  /** As `FileSystem` says. */
  async list(): Promise<readonly string[]> {
    await this.operate('list', '')
    return this.#disk.names()
  }

  /** As `FileSystem` says. */
  async rename(from: string, to: string): Promise<void> {
    await this.operate('rename', from)
    this.#disk.changeNames({ kind: 'rename', from, to })
  }

  /** As `FileSystem` says. */
  async remove(name: string): Promise<void> {
    await this.operate('remove', name)
    this.#disk.changeNames({ kind: 'remove', name })
  }

  /** As `FileSystem` says. */
  async flushDirectory(): Promise<void> {
    await this.operate('flushDirectory', '')
    this.#disk.flushNames()
  }

  /** @internal Counts an operation; `failing` runs when it fails, or when the process dies in it. */
  operate(
    operation: string,
    file: string,
    growth = 0,
    failing: (isDeath: boolean) => void = () => {},
  ): MaybePromise<void> {
    if (this.#crashed || this.#isDead) return this.#unanswered()
    this.operations++
    this.last = [operation, file]
    if (this.operations === this.#crashAt) {
      failing(true)
      this.#crashed = true
      this.#options.onCrash?.()
      return this.#unanswered()
    }
    const failure = this.#options.failure?.(operation, file, this.operations, growth)
    if (failure !== undefined) {
      failing(false)
      throw failure
    }
    if (this.#options.isAsynchronous === true) return Promise.resolve()
  }

  #unanswered(): Promise<never> {
    if (this.#options.isDeathSilent !== true) throw new SimulatedCrash()
    return new Promise(() => {})
  }

  /** @internal A write that ends early got this far: nowhere, to its end, or in between. */
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
    const { changes } = this.#inode
    const delay = this.#mount.flushDelay
    if (delay !== undefined) await delay()
    await this.#operateFlush()
    this.#inode.flush(changes)
  }

  /** Where everything else is answered at once, this is too. */
  get flushSync(): (() => boolean) | undefined {
    if (this.#mount.flushDelay !== undefined || this.#mount.isAsynchronous) return undefined
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
