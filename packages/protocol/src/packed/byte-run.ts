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
  readonly #view: DataView

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /**
   * Writes `from[start, end)` at `at`, and up to `SLACK_BYTES` more bytes behind them, which have to be there. Returns
   * where the written bytes end.
   */
  put(at: number, from: ByteRun, start: number, end: number): number {
    const behind = at + end - start
    if (end - start > LOOP_BYTES_MAX) {
      this.bytes.set(from.bytes.subarray(start, end), at)
      return behind
    }
    const target = this.#view
    const source = from.#view
    const fast = Math.min(end, source.byteLength - SLACK_BYTES)
    let i = start
    let to = at
    for (; i < fast; i += 4, to += 4) target.setInt32(to, source.getInt32(i, true), true)
    for (; i < end; i++, to++) target.setUint8(to, source.getUint8(i))
    return behind
  }
}
