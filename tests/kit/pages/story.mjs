// What the module of a page calls while it is run: it compares what the page says with what happens, and tells the
// parent process. Problems are collected, so that one run shows all of them.
import { spawnSync } from 'node:child_process'
import { inspect, isDeepStrictEqual } from 'node:util'

/** Lines that hold an expectation and have not been reached. */
const missing = new Set()
/** The line that the story has come to. */
let current = 1

export function report(line, message) {
  process.send({ line, message })
}

/** The page's line that an error comes from, else the block that is being run. */
export function reportError(error) {
  const text =
    error instanceof Error ? `${error.code ?? error.name}: ${error.message}` : inspect(error)
  const frame = /page\.ts:(\d+)/.exec(error instanceof Error ? (error.stack ?? '') : '')
  report(frame === null ? current : Number(frame[1]), `threw ${text}`)
}

export function expect(lines) {
  for (const line of lines) missing.add(line)
}

export function at(line) {
  current = line
}

export function value(line, actual, expected) {
  missing.delete(line)
  if (!matches(actual, expected)) {
    report(line, `the page says ${show(expected)}, but it is ${show(actual)}`)
  }
  return actual
}

export async function throws(line, run, expected) {
  missing.delete(line)
  try {
    await run()
  } catch (error) {
    if (error?.code !== expected && error?.name !== expected) {
      report(line, `the page says it throws ${expected}, but it throws ${inspect(error)}`)
    }
    return
  }
  report(line, `the page says it throws ${expected}, but it does not`)
}

export function shell(line, commands) {
  current = line
  for (const { line: commandLine, command, output } of commands) {
    const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', command], { encoding: 'utf8' })
    const printed = `${stdout}${stderr}`
    if (status !== 0) report(commandLine, `the command ends with ${status}: ${printed}`)
    else if (output !== undefined && !printed.includes(output)) {
      report(commandLine, `the page says it prints ${output}, but it prints ${printed}`)
    }
  }
}

export function end() {
  for (const line of missing) report(line, 'the code of this expectation was not reached')
}

/** Deeply equal, but for `'...'`, which stands for any value. */
function matches(actual, expected) {
  if (expected === '...') return true
  const isList = Array.isArray(expected)
  if (!isList && expected?.constructor !== Object) return isDeepStrictEqual(actual, expected)
  if (isList !== Array.isArray(actual) || actual === null || typeof actual !== 'object')
    return false
  const keys = Object.keys(expected)
  return (
    isDeepStrictEqual(Object.keys(actual).sort(), [...keys].sort()) &&
    keys.every((key) => matches(actual[key], expected[key]))
  )
}

function show(data) {
  return inspect(data, { depth: 10, breakLength: Infinity })
}
