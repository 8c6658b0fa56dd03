/** NDJSON: one entity as JSON text in each line. Empty lines are passed over. */
import { ByteWindow } from './byte-window.ts'
import type { InputPosition, InputRecord } from './input-record.ts'
import { byteOrderMark, textRecord } from './text-record.ts'

const NEWLINE = 0x0a
const BLANK = new Set([0x20, 0x09, 0x0d])

/** The records of NDJSON. Errors: `invalid_input`, and those of the input. */
export async function* readNdjson(
  chunks: AsyncIterable<Uint8Array>,
  start: InputPosition,
): AsyncGenerator<InputRecord, void, undefined> {
  const window = new ByteWindow(chunks)
  let { lines, records } = start
  try {
    await window.skipTo(start.bytes)
    for (;;) {
      const newline = await findNewline(window)
      const { bytes, offset } = window
      if (newline < 0 && bytes.length === 0) return
      const length = newline < 0 ? bytes.length : newline
      const line = bytes.subarray(offset === 0 ? byteOrderMark(bytes) : 0, length)
      const place = { offset, line: lines + 1 }
      const size = newline < 0 ? length : length + 1
      if (newline >= 0) lines++
      window.use(size)
      if (line.every((byte) => BLANK.has(byte))) continue
      records++
      yield textRecord(line, place, { bytes: offset + size, lines, records })
    }
  } finally {
    await window.close()
  }
}

/** In the window's bytes; -1 when the input ends without one. */
async function findNewline(window: ByteWindow): Promise<number> {
  for (let looked = 0; ; ) {
    const { bytes } = window
    const newline = bytes.indexOf(NEWLINE, looked)
    if (newline >= 0) return newline
    looked = bytes.length
    if (!(await window.fill())) return -1
  }
}
