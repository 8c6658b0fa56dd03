/** Small pieces of text and bytes to a sink, a good many at once. */
import type { ByteSink } from '@entidb/core'
import type { Pieces } from './row-format.ts'

const BYTES_AT_ONCE = 256 * 1024

/** Answers how many bytes were written. Does not close the sink. Errors: those of the pieces and the sink. */
export async function writePieces(pieces: Pieces, sink: ByteSink): Promise<number> {
  const writer = sink.getWriter()
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  let bytes = 0
  const flush = async (): Promise<void> => {
    const all = Buffer.concat(waiting)
    waiting = []
    waitingBytes = 0
    if (all.length > 0) await writer.write(all)
  }
  for await (const piece of pieces) {
    const encoded = typeof piece === 'string' ? Buffer.from(piece) : piece
    waiting.push(encoded)
    waitingBytes += encoded.length
    bytes += encoded.length
    if (waitingBytes >= BYTES_AT_ONCE) await flush()
  }
  await flush()
  return bytes
}
