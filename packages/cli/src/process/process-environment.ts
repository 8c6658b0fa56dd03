/** The environment of a real process: its streams, its signals, its clock. */
import type { ByteSink } from '@entidb/core'
import type { CliEnvironment, TextOutput } from '../cli/cli-environment.ts'
import { EXIT_KILLED } from '../cli/exit-codes.ts'
import { isUnread, Stopped } from '../cli/stopped.ts'
import { piecesUntil } from './abortable.ts'

export function processEnvironment(): CliEnvironment {
  const stopping = new AbortController()
  stopOnSignals(stopping)
  stopWhenNobodyReads(stopping, process.stdout)
  // Logs and progress: a reader that went away, or a full disk, is no reason to end the work.
  process.stderr.on('error', () => {})
  return {
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    outputBytes: () => sinkOf(process.stdout),
    inputBytes: () => piecesUntil(process.stdin, stopping.signal),
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

/** Waits for the reader. A process cannot close its stdout: ending is what closes it. */
function sinkOf(stream: NodeJS.WriteStream): ByteSink {
  const write = (piece: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      stream.write(piece, (error) => (error ? reject(error) : resolve()))
    })
  return { getWriter: () => ({ write, close: async () => {}, abort: async () => {} }) }
}

/** The first SIGINT or SIGTERM stops cleanly; the second one ends the process at once. */
function stopOnSignals(stopping: AbortController): void {
  const onSignal = (): void => {
    if (stopping.signal.aborted) process.exit(EXIT_KILLED)
    stopping.abort(new Stopped('stopped by a signal'))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
}

/**
 * `entidb ... | head`: the reader went away, which is a way to say stop. Anything else that output fails with,
 * such as a full disk, is the reason to stop.
 */
function stopWhenNobodyReads(stopping: AbortController, stream: NodeJS.WriteStream): void {
  stream.on('error', (error) => {
    stopping.abort(isUnread(error) ? new Stopped('nobody reads the output any more', true) : error)
  })
}
