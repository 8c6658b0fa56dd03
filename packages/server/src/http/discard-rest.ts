/**
 * Reads and forgets what a client still sends after it has been refused: a connection closed with bytes
 * unread is reset, and the client may never see the answer. Bounded: who goes on sending is cut off by
 * the listener.
 */

const DISCARDED_BYTES_MAX = 64 * 1024 * 1024

/** Starts discarding in the background and never fails. */
export function discardRest(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  discard(reader).catch(() => {
    // The connection is gone: nothing is left to discard.
  })
}

async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  for (let bytes = 0; bytes <= DISCARDED_BYTES_MAX; ) {
    const { done, value } = await reader.read()
    if (done) return
    bytes += value.length
  }
}
