/**
 * Run by itself, as JavaScript beside the sources that it is to check: `node run-checks.test-kit.js
 * [CHECK]`. Tells on standard output, in one line of JSON, which check failed first, and how.
 */
import { type CheckName, checks } from './checks.test-kit.ts'

export interface Verdict {
  /** Undefined when every check passed. */
  readonly noticedBy?: CheckName
  readonly message?: string
}

let running: CheckName | undefined
let isDecided = false

function decide(verdict: Verdict): void {
  if (isDecided) return
  isDecided = true
  process.stdout.write(`${JSON.stringify(verdict)}\n`, () => process.exit(0))
}

function failed(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  decide(running === undefined ? { message } : { noticedBy: running, message })
}

process.on('uncaughtException', failed)
process.on('unhandledRejection', failed)
// Nothing is left to wait for: a promise that is never settled.
process.on('beforeExit', () => failed('it does not end'))

const wanted = process.argv[2]
for (const [name, check] of Object.entries(checks)) {
  if (wanted !== undefined && wanted !== name) continue
  // The keys of `checks` are its names.
  running = name as CheckName
  await check().catch(failed)
}
decide({})
