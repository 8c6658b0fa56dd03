/** Assertions of a conformance suite, which must not depend on any test runner. */

import { type ErrorCode, isEntiDBError } from '../errors/entidb-error.ts'

/** Compares what JSON can show: numbers, strings, lists of them, undefined. */
export function expectEqual(actual: unknown, expected: unknown): void {
  const [shown, wanted] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (shown !== wanted) throw new Error(`Expected ${wanted}, got ${shown}`)
}

/** Names the first difference instead of showing megabytes. */
export function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  expectEqual(actual.length, expected.length)
  const index = actual.findIndex((byte, at) => byte !== expected[at])
  if (index < 0) return
  throw new Error(`Byte ${index} is ${actual[index]}, expected ${expected[index]}`)
}

export async function expectErrorCode(code: ErrorCode, action: () => unknown): Promise<void> {
  const error = await failureOf(action)
  if (!isEntiDBError(error, code))
    throw new Error(`Expected ${code}, got ${error}`, { cause: error })
}

export async function expectTypeError(action: () => unknown): Promise<void> {
  const error = await failureOf(action)
  if (!(error instanceof TypeError))
    throw new Error(`Expected a TypeError, got ${error}`, { cause: error })
}

/** What `action` throws or rejects with; fails when it does neither. */
export async function failureOf(action: () => unknown): Promise<unknown> {
  try {
    await action()
  } catch (error) {
    return error
  }
  throw new Error('Expected a failure')
}
