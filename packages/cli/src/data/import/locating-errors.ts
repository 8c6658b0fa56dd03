/** Where in a file it is that something is wrong. */
import { EntiDBError, isEntiDBError } from '@entidb/core'
import type { InputPlace } from '../input/input-record.ts'

/**
 * Errors of `work` get the file and a place in it into their message and details: `place`, or where a reader says
 * that they are.
 */
export async function locatingErrors<T>(
  file: string,
  place: InputPlace | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const known = isEntiDBError(error) ? (place ?? placeOf(error)) : undefined
    throw isEntiDBError(error) && known !== undefined ? located(error, file, known) : error
  }
}

function located(error: EntiDBError, file: string, place: InputPlace): EntiDBError {
  const { line, offset } = place
  const where = line === undefined ? `byte ${offset}` : `line ${line}, byte ${offset}`
  return new EntiDBError(error.code, `${file}, ${where}: ${error.message}`, {
    cause: error,
    details: { ...error.details, file, ...place },
    retry: error.retry,
  })
}

/** Of an error of a reader. */
function placeOf({ code, details }: EntiDBError): InputPlace | undefined {
  const { offset, line } = details
  if (code !== 'invalid_input' || typeof offset !== 'number') return undefined
  return typeof line === 'number' ? { offset, line } : { offset }
}
