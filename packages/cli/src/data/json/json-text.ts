/**
 * Reads JSON text strictly: `JSON.parse` takes 9007199254740993 for 9007199254740992 and 1e400 for infinity,
 * and nobody is told.
 */
import { excerpt, JsonFormError } from './json-value.ts'

/** Any number that a double might not hold has this many digits, or an exponent like that. */
const SUSPICIOUS = /\d{16}|[eE]\+?\d{3}/
const INTEGER = /^-?\d+$/

/** @throws SyntaxError for what is no JSON; JsonFormError for a number that would become another one. */
export function parseJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  if (SUSPICIOUS.test(text)) assertNumbers(text)
  return value
}

function assertNumbers(text: string): void {
  for (const token of numbersIn(text)) {
    if (isKept(token)) continue
    const shown = excerpt(token)
    const form = INTEGER.test(token) ? `; write { "$bigint": "${shown}" }` : ''
    throw new JsonFormError(`the number ${shown} is beyond what a number holds exactly${form}`)
  }
}

/** Of text that is JSON. Strings are passed over piece by piece: one pattern for all of it exhausts the stack. */
function* numbersIn(text: string): Generator<string, void, undefined> {
  const quoteOrNumber = /"|-?\d[\d.eE+-]*/g
  const quoteOrEscape = /"|\\./g
  for (let found = quoteOrNumber.exec(text); found !== null; found = quoteOrNumber.exec(text)) {
    const [token] = found
    if (token !== '"') {
      yield token
      continue
    }
    quoteOrEscape.lastIndex = quoteOrNumber.lastIndex
    while (quoteOrEscape.exec(text)?.[0] !== '"');
    quoteOrNumber.lastIndex = quoteOrEscape.lastIndex
  }
}

/** Decimal fractions are rounded, as everywhere; integers are not, unless the text is how it is written. */
function isKept(token: string): boolean {
  const value = Number(token)
  if (!Number.isFinite(value)) return false
  return !INTEGER.test(token) || String(value) === token || BigInt(token) === BigInt(value)
}
