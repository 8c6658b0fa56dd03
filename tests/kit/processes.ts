/** Starts, watches and kills the real processes of the whole-system tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A child process whose stdout is read line by line. */
export class LineProcess {
  readonly #child: ChildProcess
  readonly #waiting: { prefix: string; resolve: (line: string) => void }[] = []
  readonly lines: string[] = []
  readonly errors: string[] = []
  readonly exited: Promise<number | null>

  constructor(script: string, config: object) {
    const path = fileURLToPath(new URL(script, import.meta.url))
    this.#child = spawn(process.execPath, [path, JSON.stringify(config)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.exited = new Promise((resolve) => this.#child.once('close', (code) => resolve(code)))
    const { stdout, stderr } = this.#child
    if (stdout === null || stderr === null) throw new Error('a child without pipes')
    createInterface({ input: stdout }).on('line', (line) => this.#onLine(line))
    createInterface({ input: stderr }).on('line', (line) => this.errors.push(line))
  }

  /** The next line that starts with `prefix`, or one already read; fails when the process ends first. */
  async line(prefix: string): Promise<string> {
    const seen = this.lines.find((line) => line.startsWith(prefix))
    if (seen !== undefined) return seen
    return Promise.race([
      new Promise<string>((resolve) => this.#waiting.push({ prefix, resolve })),
      this.exited.then((code) => {
        throw new Error(
          `exited with ${code} before '${prefix}': ${this.errors.slice(-20).join('\n')}`,
        )
      }),
    ])
  }

  send(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  /** SIGKILL: no handler runs, nothing is flushed by the process. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.exited
  }

  async terminate(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    return this.exited
  }

  #onLine(line: string): void {
    this.lines.push(line)
    for (const [index, { prefix, resolve }] of this.#waiting.entries()) {
      if (!line.startsWith(prefix)) continue
      this.#waiting.splice(index, 1)
      resolve(line)
      return
    }
  }
}
