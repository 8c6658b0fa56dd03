/** An error as its user should see it: what went wrong and its code; a stack only when it is our fault. */
import { inspect } from 'node:util'
import { isEntiDBError } from '@entidb/core'
import type { TextOutput } from '../cli/cli-environment.ts'
import { Stopped } from '../cli/stopped.ts'
import { UsageError } from '../cli/usage-error.ts'

export function printError(error: unknown, stderr: TextOutput, json: boolean): void {
  const { code, message, details } = describeError(error)
  if (json) {
    stderr.write(`${JSON.stringify({ event: 'error', code, message, details })}\n`)
    return
  }
  stderr.write(`entidb: ${message}${CODES_NOT_SHOWN.has(code) ? '' : ` (${code})`}\n`)
  if (code === 'usage') stderr.write('Try: entidb --help\n')
  // With its stack and causes: it is a bug, and this is what a report of it needs.
  if (code === 'unexpected') stderr.write(`${inspect(error)}\n`)
}

const CODES_NOT_SHOWN: ReadonlySet<string> = new Set(['usage', 'stopped', 'unexpected'])

interface ErrorDescription {
  readonly code: string
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
}

function describeError(error: unknown): ErrorDescription {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof UsageError) return { code: 'usage', message }
  if (error instanceof Stopped) return { code: 'stopped', message }
  if (isEntiDBError(error)) {
    const { code, details } = error
    return Object.keys(details).length === 0 ? { code, message } : { code, message, details }
  }
  return { code: systemCodeOf(error) ?? 'unexpected', message }
}

/** Of an error of the operating system: EACCES, EADDRINUSE, ... */
function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error && 'code' in error
    ? String(error.code)
    : undefined
}
