/** The environment of a real process: its streams, its signals, its clock. */
import type { CliEnvironment, TextOutput } from '../cli/cli-environment.ts'
import { EXIT_KILLED } from '../cli/exit-codes.ts'

export function processEnvironment(): CliEnvironment {
  const stopping = new AbortController()
  stopOnSignals(stopping)
  stopWhenNobodyReads(stopping, process.stdout)
  return {
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    env: process.env,
    stop: stopping.signal,
    now: () => performance.now(),
  }
}

function outputOf(stream: NodeJS.WriteStream): TextOutput {
  return {
    write: (text) => {
      stream.write(text)
    },
    terminal: stream.isTTY ? stream : undefined,
  }
}

/** The first SIGINT or SIGTERM stops cleanly; the second one ends the process at once. */
function stopOnSignals(stopping: AbortController): void {
  const onSignal = (): void => {
    if (stopping.signal.aborted) process.exit(EXIT_KILLED)
    stopping.abort(new Error('stopped by a signal'))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
}

/** `entidb ... | head`: the reader went away, which is a way to say stop. */
function stopWhenNobodyReads(stopping: AbortController, stream: NodeJS.WriteStream): void {
  stream.on('error', (error) => {
    if (!('code' in error && error.code === 'EPIPE')) throw error
    stopping.abort(new Error('nobody reads the output any more'))
  })
}
