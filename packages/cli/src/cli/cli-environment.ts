import type { ByteSink } from '@entidb/core'

/** What a command may use of the world around it; injected, so that tests run commands in process. */
export interface CliEnvironment {
  readonly stdout: TextOutput
  readonly stderr: TextOutput
  /** The same stdout, for bytes. */
  readonly outputBytes: () => ByteSink
  /** Standard input, to its end. */
  readonly inputBytes: () => AsyncIterable<Uint8Array>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborted by the first Ctrl-C or SIGTERM: stop cleanly. */
  readonly stop: AbortSignal
  /** Monotonic, in milliseconds. */
  readonly now: () => number
}

/** Where the command line prints: a stream of the process, or a text to look at afterwards. */
export interface TextOutput {
  write(text: string): void
  /** The terminal behind it, where bars may be drawn; undefined for a pipe or a file. */
  readonly terminal: NodeJS.WriteStream | undefined
}
