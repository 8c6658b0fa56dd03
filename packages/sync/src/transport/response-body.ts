/** Reads a body with a bound: a server's answer is not trusted to end. */
import { EntiDBError } from '@entidb/core'
import type { FetchResponse } from '../environment.ts'

/** `onBytes` is told of each piece. Error: `invalid_response` beyond `bytesMax`. */
export async function readBody(
  response: FetchResponse,
  bytesMax: number,
  onBytes: (bytes: number) => void,
): Promise<Uint8Array> {
  const reader = response.body?.getReader()
  if (reader === undefined) return new Uint8Array(0)
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done || value === undefined) break
    size += value.length
    onBytes(value.length)
    if (size > bytesMax) {
      await reader.cancel()
      throw new EntiDBError('invalid_response', `The answer is longer than ${bytesMax} bytes`, {
        details: { answerBytesMax: bytesMax },
        retry: 'later',
      })
    }
    chunks.push(value)
  }
  return concat(chunks, size)
}

/** The error of an answer that was longer than it may be. */
export function isTooLong({ code, details }: EntiDBError): boolean {
  return code === 'invalid_response' && details.answerBytesMax !== undefined
}

function concat(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [only] = chunks
  if (chunks.length === 1 && only !== undefined) return only
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

/** Lets go of a body that nobody reads, so that its connection is free again. */
export function discardBody(response: FetchResponse): void {
  response.body?.cancel().catch(() => {})
}
