/** An error as its user should see it: what went wrong and its code; a stack only when it is our fault. */
import { inspect } from 'node:util'
import { isEntiDBError } from '@entidb/core'
import type { TextOutput } from '../cli/cli-environment.ts'
import { UsageError } from '../cli/usage-error.ts'

export function printError(error: unknown, stderr: TextOutput, json: boolean): void {
  const { code, message } = describeError(error)
  if (json) {
    stderr.write(`${JSON.stringify({ event: 'error', code, message })}\n`)
    return
  }
  stderr.write(
    `entidb: ${message}${code === 'usage' || code === 'unexpected' ? '' : ` (${code})`}\n`,
  )
  if (code === 'usage') stderr.write('Try: entidb --help\n')
  // With its stack and causes: it is a bug, and this is what a report of it needs.
  if (code === 'unexpected') stderr.write(`${inspect(error)}\n`)
}

function describeError(error: unknown): { code: string; message: string } {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof UsageError) return { code: 'usage', message }
  if (isEntiDBError(error)) return { code: error.code, message: error.message }
  return { code: systemCodeOf(error) ?? 'unexpected', message }
}

/** Of an error of the operating system: EACCES, EADDRINUSE, ... */
function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error && 'code' in error
    ? String(error.code)
    : undefined
}
