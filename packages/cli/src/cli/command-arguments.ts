/**
 * The options of one command as typed values: strict where citty is lenient. An unknown option, a surplus
 * word, a missing value or a malformed number is a `UsageError` that names it.
 */
import { type ArgsDef, parseArgs } from 'citty'
import { UsageError } from './usage-error.ts'

export class CommandArguments {
  readonly #valuesByName: ReadonlyMap<string, string | boolean>

  constructor(definition: ArgsDef, rawArguments: readonly string[]) {
    const parsed = parse(definition, rawArguments)
    assertKnown(definition, parsed)
    assertSwitches(definition, rawArguments)
    this.#valuesByName = valuesOf(definition, parsed)
  }

  flag(name: string): boolean {
    return this.#valuesByName.get(name) === true
  }

  /** Was it given, or has it a default? */
  has(name: string): boolean {
    const value = this.#valuesByName.get(name)
    return value !== undefined && value !== false
  }

  /** The option's value, not empty; undefined when it was not given and has no default. */
  optionalText(name: string): string | undefined {
    const value = this.#valuesByName.get(name)
    if (value === undefined) return undefined
    if (typeof value !== 'string' || value === '') {
      throw new UsageError(`--${name} needs a value`)
    }
    return value
  }

  text(name: string): string {
    const value = this.optionalText(name)
    if (value === undefined) throw new UsageError(`--${name} is missing`)
    return value
  }

  /** A whole number from `min` to `max`, both included. */
  optionalCount(name: string, min: number, max: number): number | undefined {
    const text = this.optionalText(name)
    if (text === undefined) return undefined
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= min && value <= max)) {
      throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, not ${text}`)
    }
    return value
  }

  /** A TCP port; 0 lets the system choose a free one. */
  port(name: string): number {
    const port = this.optionalCount(name, 0, 65_535)
    if (port === undefined) throw new UsageError(`--${name} is missing`)
    return port
  }
}

type Parsed = ReturnType<typeof parseArgs>

function parse(definition: ArgsDef, rawArguments: readonly string[]): Parsed {
  try {
    return parseArgs([...rawArguments], definition)
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

function assertKnown(definition: ArgsDef, parsed: Parsed): void {
  const known = new Set(['_', ...Object.keys(definition).flatMap(namesOf)])
  for (const name of Object.keys(parsed)) {
    if (!known.has(name)) throw new UsageError(`unknown option ${dashed(name)}`)
  }
  const words = Object.values(definition).filter(({ type }) => type === 'positional').length
  const surplus = parsed._[words]
  if (surplus !== undefined) throw new UsageError(`unexpected argument ${surplus}`)
}

/** citty takes `--overwrite=no` for yes. */
function assertSwitches(definition: ArgsDef, rawArguments: readonly string[]): void {
  for (const [name, { type }] of Object.entries(definition)) {
    if (type !== 'boolean') continue
    for (const word of rawArguments) {
      const value = namesOf(name)
        .map((known) => valueBehind(`--${known}=`, word))
        .find((found) => found !== undefined)
      if (value === undefined || value === 'true' || value === 'false') continue
      throw new UsageError(`--${name} takes no value: it is given or not; not ${value}`)
    }
  }
}

function valueBehind(start: string, word: string): string | undefined {
  return word.startsWith(start) ? word.slice(start.length) : undefined
}

/** citty repeats every value under the option's camel-case name. No option here has an alias. */
function namesOf(name: string): string[] {
  return [name, name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())]
}

const dashed = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`)

function valuesOf(definition: ArgsDef, parsed: Parsed): ReadonlyMap<string, string | boolean> {
  const values = new Map<string, string | boolean>()
  for (const name of Object.keys(definition)) {
    const value: unknown = parsed[name]
    if (typeof value === 'string' || typeof value === 'boolean') values.set(name, value)
  }
  return values
}
