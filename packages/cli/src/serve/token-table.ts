/** The tokens a server accepts: one plain token, or a JSON table with what each may do. */
import { type StaticToken, staticTokens } from '@entidb/server'
import { UsageError } from '../cli/usage-error.ts'

export type TokenTable = Readonly<Record<string, StaticToken>>

/**
 * One token by itself opens all databases for writing. JSON is an object by token:
 * `{ "<token>": { "subject": "till-1", "databases": ["shop"], "access": "read" } }`, where `databases` may
 * be `"*"`. `source` names the text in errors. Errors: `UsageError`.
 */
export function parseTokens(text: string, source: string): TokenTable {
  const tokens = readTokens(text, source)
  try {
    // What the server takes, and what no client could send.
    staticTokens(tokens)
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new UsageError(`${source}: ${cause.message}`, { cause })
  }
  return tokens
}

function readTokens(text: string, source: string): TokenTable {
  const trimmed = text.trim()
  if (!trimmed.startsWith('{')) {
    if (trimmed === '' || /\s/.test(trimmed)) {
      throw new UsageError(`${source} must hold one token, or a JSON object by token`)
    }
    return { [trimmed]: { subject: 'token', databases: '*', access: 'write' } }
  }
  const table = Object.entries(parseObject(trimmed, source))
  if (table.length === 0) throw new UsageError(`${source} holds no token`)
  return Object.fromEntries(table.map(([token, entry]) => [token, parseEntry(entry, source)]))
}

function parseObject(text: string, source: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch (cause) {
    throw new UsageError(`${source} is not JSON`, { cause })
  }
  throw new UsageError(`${source} must be a JSON object by token`)
}

/** Errors never quote the token. */
function parseEntry(entry: unknown, source: string): StaticToken {
  if (typeof entry === 'object' && entry !== null) {
    const { subject, databases, access, deviceId } = entry as Record<string, unknown> // any keys
    if (
      typeof subject === 'string' &&
      (databases === '*' || isTextList(databases)) &&
      (access === 'read' || access === 'write') &&
      (deviceId === undefined || typeof deviceId === 'string')
    ) {
      return { subject, databases, access, ...(deviceId === undefined ? {} : { deviceId }) }
    }
  }
  throw new UsageError(
    `${source}: every token needs { subject, databases: [..] or "*", access: "read" or "write", deviceId? }`,
  )
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
