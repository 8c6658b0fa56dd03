/** Values as the text of a cell, and back by the type of its column. */
import { decodeBase64 } from '../json/base64.ts'
import { parseIsoDate } from '../json/iso-date.ts'
import { parseJson } from '../json/json-text.ts'
import { fromJson, JsonFormError, parseBigint, toJson } from '../json/json-value.ts'

export const CELL_TYPES = [
  'string',
  'number',
  'boolean',
  'bigint',
  'date',
  'bytes',
  'json',
] as const

/** What the cells of a column hold. */
export type CellType = (typeof CELL_TYPES)[number]

/** Undefined for a cell that stays empty: null, or no value. */
export function toCell(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value === 'object') return JSON.stringify(toJson(value))
  return Object.is(value, -0) ? '-0' : String(value)
}

/** Undefined for text that is no value of this type. */
export function fromCell(text: string, type: CellType): unknown {
  return READERS[type](text)
}

const READERS: Readonly<Record<CellType, (text: string) => unknown>> = {
  string: (text) => text,
  number: parseNumber,
  boolean: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
  bigint: parseBigint,
  date: parseIsoDate,
  bytes: decodeBase64,
  json: parseJsonCell,
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/
const NO_FINITE_NUMBER = new Set(['NaN', 'Infinity', '-Infinity'])

function parseNumber(text: string): number | undefined {
  if (NO_FINITE_NUMBER.has(text)) return Number(text)
  const value = NUMBER.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? value : undefined
}

function parseJsonCell(text: string): unknown {
  try {
    return fromJson(parseJson(text))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof JsonFormError) return undefined
    throw error
  }
}

/** Whether the text is how a number is written: `007` and `1.50` are not, they would not come back. */
export function isPlainNumber(text: string): boolean {
  const value = Number(text)
  return Number.isFinite(value) && String(value) === text
}
