/** What is imported: a file, or stdin. */
import { createReadStream, statSync } from 'node:fs'
import { resolve } from 'node:path'

/** Where the bytes of an import come from. */
export interface ImportSource {
  /** `-` for stdin. */
  readonly path: string
  /** Undefined where nobody knows. */
  readonly bytes: number | undefined
  /** From the beginning; of stdin once only. */
  readonly chunks: () => AsyncIterable<Uint8Array>
}

const CHUNK_BYTES = 256 * 1024

/** A system error when there is no such file. */
export function importSource(
  word: string,
  inputBytes: () => AsyncIterable<Uint8Array> = () => process.stdin,
): ImportSource {
  if (word === '-') return { path: word, bytes: undefined, chunks: inputBytes }
  const path = resolve(word)
  const stats = statSync(path)
  return {
    path,
    bytes: stats.isFile() ? stats.size : undefined,
    chunks: () => createReadStream(path, { highWaterMark: CHUNK_BYTES }),
  }
}
