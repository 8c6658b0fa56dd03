/**
 * A directory on disk, through `node:fs`.
 *
 * Open, rename and remove are durable after `flushDirectory`, as the port says. A directory that `lock`
 * created is durable when it returns; one that it found, whose creator may have died before that, after the
 * first `flushDirectory`: nothing in it is durable before. Entries whose names the store could not have
 * given (sub-directories, dot files, names with spaces) are left alone and not listed.
 */

import { join, resolve } from 'node:path'
import { assertFileName, isFileName } from './file-name.ts'
import type { DirectoryLock, File, FileSystem } from './file-system.ts'
import { FlushTimes } from './flush-times.ts'
import { createDirectory, flushDirectory, flushExistingDirectory } from './node-directory.ts'
import { lockDirectory } from './node-directory-lock.ts'
import { NodeFile } from './node-file.ts'
import { systemCodeOf, toFileError, toOpenError } from './node-io-error.ts'
import { type NodeSystemCalls, nodeSystemCalls } from './node-system-calls.ts'

export interface NodeFileSystemOptions {
  /** Replaces `node:fs`; for tests of what happens when the disk fails. */
  readonly systemCalls?: NodeSystemCalls
}

/** `directory` is created by `lock()`. A relative path is resolved now, against the current directory. */
export function createNodeFileSystem(
  directory: string,
  options: NodeFileSystemOptions = {},
): FileSystem {
  return new NodeFileSystem(resolve(directory), options.systemCalls ?? nodeSystemCalls)
}

class NodeFileSystem implements FileSystem {
  readonly description: string
  readonly #fs: NodeSystemCalls
  readonly #flushTimes = new FlushTimes()
  /** The name of the directory itself. */
  #isNameDurable = false

  constructor(directory: string, fs: NodeSystemCalls) {
    this.description = directory
    this.#fs = fs
  }

  async lock(): Promise<DirectoryLock> {
    const outcome = await createDirectory(this.#fs, this.description)
    if (outcome === 'made') this.#isNameDurable = true
    return lockDirectory(this.#fs, this.description)
  }

  async open(name: string, options: { readonly create: boolean }): Promise<File | undefined> {
    const path = this.#pathOf(name)
    const fd =
      this.#openExisting(path, name) ?? (options.create ? this.#create(path, name) : undefined)
    return fd === undefined ? undefined : this.#toFile(fd, name)
  }

  async list(): Promise<readonly string[]> {
    const entries = this.#call('.', 'list', () =>
      this.#fs.readdirSync(this.description, { withFileTypes: true }),
    )
    return entries
      .filter((entry) => entry.isFile() && isFileName(entry.name))
      .map(({ name }) => name)
  }

  async rename(from: string, to: string): Promise<void> {
    const [source, target] = [this.#pathOf(from), this.#pathOf(to)]
    this.#call(from, 'rename', () => this.#fs.renameSync(source, target))
  }

  async remove(name: string): Promise<void> {
    const path = this.#pathOf(name)
    try {
      this.#fs.unlinkSync(path)
    } catch (cause) {
      if (systemCodeOf(cause) !== 'ENOENT') throw toFileError(cause, name, 'remove')
    }
  }

  async flushDirectory(): Promise<void> {
    if (!this.#isNameDurable) {
      await flushExistingDirectory(this.#fs, this.description)
      this.#isNameDurable = true
    }
    await flushDirectory(this.#fs, this.description)
  }

  #pathOf(name: string): string {
    assertFileName(name)
    return join(this.description, name)
  }

  #openExisting(path: string, name: string): number | undefined {
    try {
      return this.#fs.openSync(path, 'r+')
    } catch (cause) {
      if (systemCodeOf(cause) === 'ENOENT') return undefined
      throw toOpenError(cause, name, 'open')
    }
  }

  /** Only the owner of the directory creates files, so nothing comes between looking and creating. */
  #create(path: string, name: string): number {
    try {
      return this.#fs.openSync(path, 'wx+')
    } catch (cause) {
      throw toOpenError(cause, name, 'create')
    }
  }

  #toFile(fd: number, name: string): File {
    try {
      return new NodeFile(this.#fs, fd, name, this.#flushTimes)
    } catch (cause) {
      this.#fs.closeSync(fd)
      throw toFileError(cause, name, 'open')
    }
  }

  #call<T>(file: string, operation: string, action: () => T): T {
    try {
      return action()
    } catch (cause) {
      throw toFileError(cause, file, operation)
    }
  }
}
