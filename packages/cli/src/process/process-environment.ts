/** The environment of a real process: its streams, its signals, its clock. */
import type { CliEnvironment, TextOutput } from '../cli/cli-environment.ts'
import { EXIT_KILLED } from '../cli/exit-codes.ts'

export function processEnvironment(): CliEnvironment {
  return {
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    env: process.env,
    stop: stopSignal(),
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

/** Aborted by the first SIGINT or SIGTERM; the second one ends the process at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController()
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_KILLED)
    controller.abort(new Error('stopped by a signal'))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return controller.signal
}
