/** An id as the text item that it is. */
import { type ByteRun, putBytes } from './byte-run.ts'

/** Writes `from[start, end)`, an id in UTF-8, at `at`, as `putBytes` does. */
export function putText(
  target: ByteRun,
  at: number,
  from: ByteRun,
  start: number,
  end: number,
): number {
  const { bytes } = target
  const length = end - start
  let to = at
  if (length < 24) bytes[to++] = 0x60 | length
  else if (length < 0x100) {
    bytes[to++] = 0x78
    bytes[to++] = length
  } else {
    bytes[to++] = 0x79
    bytes[to++] = length >>> 8
    bytes[to++] = length & 0xff
  }
  return putBytes(target, to, from, start, end)
}
