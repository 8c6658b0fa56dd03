/**
 * Structured logs behind an interface of pino's shape: pass pino, or anything like it. Nothing that is
 * logged holds a token, entity bytes or another tenant's data.
 */

/** Facts of a log line, for programs. */
export type LogFields = Readonly<Record<string, unknown>>

/** Where a server logs to. */
export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

/** The least level that is logged; each includes those behind it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** Longer texts are cut: a field may come from a client. */
const TEXT_LENGTH_MAX = 500

/** Logs nothing. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
}

/** Options of `jsonLogger`. */
export interface JsonLoggerOptions {
  /** Least level that is written; default `warn`. */
  readonly level?: LogLevel
  /** Takes one line with its newline; default: standard error. */
  readonly write?: (line: string) => void
  /** Milliseconds since 1970. */
  readonly clock?: () => number
}

/** One JSON object per line: `time`, `level`, `message` and the fields. Errors give name, code and stack. */
export function jsonLogger(options: JsonLoggerOptions = {}): Logger {
  const least = LEVELS.indexOf(options.level ?? 'warn')
  // Not `process.stderr.write`: when it fails, as with a full disk, nobody hears its error and the process ends.
  const write = options.write ?? ((line: string) => console.error(line.trimEnd()))
  const clock = options.clock ?? Date.now
  const at = (level: LogLevel): Logger[LogLevel] => {
    if (LEVELS.indexOf(level) < least) return () => {}
    return (fields, message) => {
      const entry = { time: new Date(clock()).toISOString(), level, message, ...fields }
      write(`${JSON.stringify(entry, plainValue)}\n`)
    }
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function plainValue(_key: string, value: unknown): unknown {
  if (value instanceof Error) return errorFields(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'string' && value.length > TEXT_LENGTH_MAX) {
    return `${value.slice(0, TEXT_LENGTH_MAX)}...`
  }
  return value
}

function errorFields(error: Error): LogFields {
  return {
    name: error.name,
    message: error.message,
    ...('code' in error ? { code: error.code } : {}),
    stack: error.stack?.split('\n').slice(1, 8),
    ...(error.cause === undefined ? {} : { cause: error.cause }),
  }
}
