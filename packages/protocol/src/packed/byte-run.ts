/**
 * Bytes that others are copied from and to by the handful. A loop over single bytes takes three times as long: it is
 * left after another number of turns every time, which no processor foresees.
 */

/** What four bytes may be written behind. */
export const SLACK_BYTES = 3
/** More are copied by the platform. */
const LOOP_BYTES_MAX = 128

export class ByteRun {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** What ends behind it cannot be read or written by four bytes at a time. */
  readonly wordsEnd: number

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    // Mostly other bytes of a message, or of a slab, lie behind these.
    const { buffer, byteOffset, length } = bytes
    const slack = Math.min(SLACK_BYTES, buffer.byteLength - byteOffset - length)
    this.view = new DataView(buffer, byteOffset, length + slack)
    this.wordsEnd = length + slack - SLACK_BYTES
  }
}

/**
 * Writes `from[start, end)` at `at`, and up to `SLACK_BYTES` more bytes behind them, which have to be there. Returns
 * where the written bytes end.
 */
export function putBytes(
  target: ByteRun,
  at: number,
  from: ByteRun,
  start: number,
  end: number,
): number {
  const behind = at + end - start
  if (end > from.wordsEnd || end - start > LOOP_BYTES_MAX) {
    target.bytes.set(from.bytes.subarray(start, end), at)
    return behind
  }
  const { view } = from
  const { view: targetView } = target
  for (let i = start, to = at; i < end; i += 4, to += 4) {
    targetView.setInt32(to, view.getInt32(i, true), true)
  }
  return behind
}
