/** Parts of the engine that are loaded when they are needed: docs/decisions/0009-what-loads-when.md. */
import { EntiDBError } from './entidb-error.ts'

/**
 * What `load`, an `import()`, answers. Nothing is kept of a failure: the next call tries again.
 *
 * Error: `load_failed`.
 */
export async function loadPart<Part>(load: () => Promise<Part>): Promise<Part> {
  try {
    return await load()
  } catch (cause) {
    throw new EntiDBError(
      'load_failed',
      'A part of @entidb/core could not be loaded. A bundler puts it into a file of its own, which has to be served beside the others, and kept with them for use offline.',
      { cause, retry: 'later' },
    )
  }
}

/** A part that a program may have from the start, so that nobody waits for it there. */
export class Part<Module> {
  readonly #load: () => Promise<Module>
  #module: Module | undefined

  constructor(load: () => Promise<Module>) {
    this.#load = load
  }

  /** By whoever imports it statically. */
  provide(module: Module): void {
    this.#module = module
  }

  /** Error: `load_failed`. */
  async get(): Promise<Module> {
    return this.#module ?? loadPart(this.#load)
  }
}
