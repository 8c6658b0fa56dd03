/** An environment that records what a command prints. */
import type { CliEnvironment, TextOutput } from './cli-environment.ts'
import { Stopped } from './stopped.ts'

export interface TestEnvironment extends CliEnvironment {
  output(): string
  errors(): string
  /** What was written as bytes. */
  bytes(): Uint8Array
  /** The JSON lines with this `event`. */
  events(name: string): readonly Record<string, unknown>[]
  /** The only one; throws when there is not exactly one. */
  event(name: string): Record<string, unknown>
  /** The `step` of that name. */
  step(name: string): Record<string, unknown> | undefined
  /** What Ctrl-C does. */
  interrupt(): void
}

export function createTestEnvironment(
  env: Record<string, string> = {},
  input: readonly Uint8Array[] = [],
): TestEnvironment {
  const written: Uint8Array[] = []
  const output: string[] = []
  const errors: string[] = []
  const controller = new AbortController()
  const events = (name: string): readonly Record<string, unknown>[] =>
    output
      .join('')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Record<string, unknown> => JSON.parse(line))
      .filter(({ event }) => event === name)
  return {
    stdout: recorder(output),
    stderr: recorder(errors),
    outputBytes: () =>
      new WritableStream<Uint8Array>({ write: (piece) => void written.push(piece.slice()) }),
    inputBytes: async function* () {
      yield* input
    },
    bytes: () => Buffer.concat(written),
    env,
    stop: controller.signal,
    now: () => performance.now(),
    output: () => output.join(''),
    errors: () => errors.join(''),
    events,
    event: (name) => {
      const [only, ...more] = events(name)
      if (only === undefined || more.length > 0)
        throw new Error(`not one ${name}: ${output.join('')}`)
      return only
    },
    step: (name) => events('step').find((step) => step.name === name),
    interrupt: () => controller.abort(new Stopped('interrupted')),
  }
}

function recorder(chunks: string[]): TextOutput {
  return {
    write: (text) => {
      chunks.push(text)
    },
    terminal: undefined,
  }
}
