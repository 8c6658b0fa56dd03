/** Processes that take the lock of a directory, for tests. */

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const childScript = fileURLToPath(new URL('./directory-lock.test-child.mjs', import.meta.url))

export type ChildMode = 'hold' | 'lockAndReturn' | 'contend' | 'holdInWorker'

/** What a child wrote on one line. */
export interface ChildEvent {
  readonly event: string
  readonly code?: string
  readonly pid?: number
  readonly details?: unknown
}

export class LockingProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>
  readonly exited: Promise<unknown>

  constructor(mode: ChildMode, directory: string) {
    this.#child = spawn(process.execPath, [childScript, mode, directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
    this.exited = once(this.#child, 'exit')
    onTestFinished(() => this.kill())
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get exitCode(): number | null {
    return this.#child.exitCode
  }

  command(line: string): void {
    this.#child.stdin.write(`${line}\n`)
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** The next thing that happened; undefined when there is no more to come. */
  async next(): Promise<ChildEvent | undefined> {
    const line = await this.#lines.next()
    return line.done ? undefined : JSON.parse(line.value)
  }

  /** By SIGKILL; over when the process is. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.exited
  }
}

/** Resolves when the process has loaded and waits for its command. */
export async function startHolder(
  directory: string,
  mode: ChildMode = 'hold',
): Promise<LockingProcess> {
  const holder = new LockingProcess(mode, directory)
  const first = await holder.next()
  if (first?.event !== 'ready') throw new Error(`Expected ready, got ${JSON.stringify(first)}`)
  return holder
}

/** Tells the process to take the lock; resolves to what came of it. */
export async function tryLock(holder: LockingProcess): Promise<ChildEvent | undefined> {
  holder.command('lock')
  return holder.next()
}
