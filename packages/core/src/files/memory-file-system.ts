/**
 * A directory of files in memory: for tests, and for databases that need not outlive the process.
 * It behaves as a POSIX directory does: a file that was removed or replaced lives on for those who
 * have it open. Everything is answered at once and a flush has nothing to do.
 */

import { assertInvariant } from '../errors/assert.ts'
import { EntiDBError } from '../errors/entidb-error.ts'
import { directoryLockedError } from './directory-locked.ts'
import { assertFileName, assertFilePosition } from './file-name.ts'
import type { DirectoryLock, File, FileSystem } from './file-system.ts'

/** A new, empty directory. Share the object to open the same files again. */
export function createMemoryFileSystem(name = 'memory'): FileSystem {
  return new MemoryFileSystem(name)
}

class MemoryFileSystem implements FileSystem {
  readonly description: string
  readonly #contentsByName = new Map<string, MemoryContent>()
  #locked = false

  constructor(description: string) {
    this.description = description
  }

  async lock(): Promise<DirectoryLock> {
    if (this.#locked) throw directoryLockedError(this.description)
    this.#locked = true
    let held = true
    return {
      release: async () => {
        if (held) this.#locked = false
        held = false
      },
    }
  }

  async open(name: string, options: { readonly create: boolean }): Promise<File | undefined> {
    assertFileName(name)
    let content = this.#contentsByName.get(name)
    if (content === undefined) {
      if (!options.create) return undefined
      content = new MemoryContent()
      this.#contentsByName.set(name, content)
    }
    return new MemoryFile(name, content)
  }

  async list(): Promise<readonly string[]> {
    return [...this.#contentsByName.keys()]
  }

  async rename(from: string, to: string): Promise<void> {
    assertFileName(from)
    assertFileName(to)
    const content = this.#contentsByName.get(from)
    if (content === undefined) {
      throw new EntiDBError('io_failed', `Cannot rename ${from}: there is no such file`, {
        details: { file: from, operation: 'rename' },
      })
    }
    this.#contentsByName.delete(from)
    this.#contentsByName.set(to, content)
  }

  async remove(name: string): Promise<void> {
    assertFileName(name)
    this.#contentsByName.delete(name)
  }

  async flushDirectory(): Promise<void> {}
}

/** Doubling what is already large wastes more memory than it saves copies. */
const growthMax = 64 * 2 ** 20

/** What a name refers to; all handles of one file share it. Bytes of `buffer` from `size` on are zero. */
class MemoryContent {
  buffer: Uint8Array = new Uint8Array(0)
  size = 0

  grow(size: number): void {
    if (size > this.buffer.length) {
      const capacity = Math.max(size, this.buffer.length + Math.min(this.buffer.length, growthMax))
      const grown = new Uint8Array(capacity)
      grown.set(this.buffer.subarray(0, this.size))
      this.buffer = grown
    }
    this.size = Math.max(this.size, size)
  }

  /** Gives memory back: a truncated log must not keep the space of its largest day. */
  shrink(size: number): void {
    this.buffer = this.buffer.slice(0, size)
    this.size = size
  }
}

class MemoryFile implements File {
  readonly name: string
  readonly #content: MemoryContent
  #open = true

  constructor(name: string, content: MemoryContent) {
    this.name = name
    this.#content = content
  }

  size(): number {
    this.#assertOpen()
    return this.#content.size
  }

  readAt(offset: number, target: Uint8Array): number {
    this.#assertOpen()
    assertFilePosition(offset)
    const end = Math.min(this.#content.size, offset + target.length)
    if (end <= offset) return 0
    target.set(this.#content.buffer.subarray(offset, end))
    return end - offset
  }

  writeAt(offset: number, bytes: Uint8Array): void {
    this.#assertOpen()
    assertFilePosition(offset)
    if (bytes.length === 0) return
    this.#grow(offset + bytes.length, 'write')
    this.#content.buffer.set(bytes, offset)
  }

  truncate(size: number): void {
    this.#assertOpen()
    assertFilePosition(size)
    if (size < this.#content.size) this.#content.shrink(size)
    else this.#grow(size, 'truncate')
  }

  async flush(): Promise<void> {
    this.#assertOpen()
  }

  async close(): Promise<void> {
    this.#open = false
  }

  #grow(size: number, operation: string): void {
    try {
      this.#content.grow(size)
    } catch (cause) {
      throw new EntiDBError('disk_full', `No memory for ${size} bytes of ${this.name}`, {
        cause,
        retry: 'later',
        details: { file: this.name, operation },
      })
    }
  }

  #assertOpen(): void {
    assertInvariant(this.#open, `file ${this.name} is used after it was closed`)
  }
}
