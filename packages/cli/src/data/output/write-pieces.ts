/** Small pieces of text and bytes to a sink, a good many at once. */
import type { ByteSink, ByteSinkWriter } from '@entidb/core'
import type { Pieces } from './row-format.ts'

const BUFFER_BYTES = 256 * 1024

/**
 * Answers how many bytes were written, and closes the sink; when that fails, aborts it. Errors: those of the
 * pieces and the sink.
 */
export async function writePieces(pieces: Pieces, sink: ByteSink): Promise<number> {
  const writer = sink.getWriter()
  const output = new BufferedOutput(writer)
  try {
    for await (const piece of pieces) {
      const size = typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length
      const waiting = output.add(piece, size)
      if (waiting !== undefined) await waiting
    }
    await output.flush()
    await writer.close()
    return output.bytes
  } catch (error) {
    // The first error says why; aborting can only add to it.
    await writer.abort(error).catch(() => {})
    throw error
  }
}

class BufferedOutput {
  bytes = 0
  readonly #writer: ByteSinkWriter
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES)
  #used = 0

  constructor(writer: ByteSinkWriter) {
    this.#writer = writer
  }

  /** Answers what is to be waited for, if anything. */
  add(piece: string | Uint8Array, size: number): Promise<void> | undefined {
    this.bytes += size
    if (this.#used + size > BUFFER_BYTES) return this.#addAfterFlush(piece, size)
    this.#put(piece)
    return undefined
  }

  async flush(): Promise<void> {
    if (this.#used === 0) return
    const full = this.#buffer.subarray(0, this.#used)
    // A sink may hold on to what it was given.
    this.#buffer = Buffer.allocUnsafe(BUFFER_BYTES)
    this.#used = 0
    await this.#writer.write(full)
  }

  async #addAfterFlush(piece: string | Uint8Array, size: number): Promise<void> {
    await this.flush()
    if (size <= BUFFER_BYTES) this.#put(piece)
    else await this.#writer.write(typeof piece === 'string' ? Buffer.from(piece) : piece)
  }

  #put(piece: string | Uint8Array): void {
    if (typeof piece === 'string') this.#used += this.#buffer.write(piece, this.#used)
    else {
      this.#buffer.set(piece, this.#used)
      this.#used += piece.length
    }
  }
}
