/**
 * Reads JSON text strictly: `JSON.parse` takes 9007199254740993 for 9007199254740992 and 1e400 for infinity,
 * and nobody is told.
 */
import { JsonFormError } from './json-value.ts'

/** Any number that a double might not hold has this many digits, or an exponent like that. */
const SUSPICIOUS = /\d{16}|[eE]\+?\d{3}/
/** Strings, to pass over them, and numbers. Only for text that is JSON. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g
const INTEGER = /^-?\d+$/

/** @throws SyntaxError for what is no JSON; JsonFormError for a number that would become another one. */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  if (SUSPICIOUS.test(text)) assertNumbers(text)
  return value
}

function assertNumbers(text: string): void {
  for (const [token] of text.matchAll(STRING_OR_NUMBER)) {
    if (token.startsWith('"') || isKept(token)) continue
    const form = INTEGER.test(token) ? `; write { "$bigint": "${token}" }` : ''
    throw new JsonFormError(`the number ${token} is beyond what a number holds exactly${form}`)
  }
}

/** Decimal fractions are rounded, as everywhere; integers are not, unless the text is how it is written. */
function isKept(token: string): boolean {
  const value = Number(token)
  if (!Number.isFinite(value)) return false
  return !INTEGER.test(token) || String(value) === token || BigInt(token) === BigInt(value)
}
