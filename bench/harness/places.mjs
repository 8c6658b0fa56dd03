// The databases of a run. Each engine's is loaded once and never written to again: a workload that writes
// gets a copy. With `--data` they stay for later runs.
import {
  closeSync,
  cpSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { temporaryDirectory } from '../processes.mjs'

export class Places {
  #engines
  #load
  #root

  /**
   * `engines`: the suite's LineUp. `load(engine, directory, count)` loads into an empty directory; `kept`: where
   * databases stay.
   */
  constructor({ engines, load, kept }) {
    this.#engines = engines
    this.#load = load
    this.#root =
      kept === undefined ? temporaryDirectory() : { directory: kept, remove: () => undefined }
  }

  /** Runs `use(directory)` with the database that a workload of this kind gets, of so many entities. */
  async with({ kind, engine, count }, use) {
    const hasNone = this.#engines.isLimit(engine) || this.#engines.isVolatile(engine)
    if (kind === 'empty' || hasNone) return withTemporary(use)
    const loaded = await this.#loaded(this.#engines.placeOf(engine), count)
    if (kind === 'unchanged') return use(loaded)
    return withTemporary((directory) => {
      copyFlushed(loaded, directory)
      return use(directory)
    })
  }

  remove() {
    this.#root.remove()
  }

  async #loaded(name, count) {
    const directory = join(this.#root.directory, `${name}-${count}`)
    const complete = `${directory}.complete`
    if (existsSync(complete)) return directory
    // What an interrupted run left.
    rmSync(directory, { recursive: true, force: true })
    mkdirSync(directory, { recursive: true })
    await this.#load(name, directory, count)
    writeFileSync(complete, '')
    return directory
  }
}

async function withTemporary(use) {
  const { directory, remove } = temporaryDirectory()
  try {
    return await use(directory)
  } finally {
    remove()
  }
}

/** Flushed, so that no engine's first commit has to flush the copy. */
function copyFlushed(from, to) {
  cpSync(from, to, { recursive: true })
  for (const entry of readdirSync(to, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const fd = openSync(join(entry.parentPath ?? entry.path, entry.name), 'r+')
    fsyncSync(fd)
    closeSync(fd)
  }
}
