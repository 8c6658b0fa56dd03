/** Bytes of any length in rows of a bounded size: entities may be larger than what a row around them could hold. */

const PIECE_BYTES_MAX = 512 * 1024

export function piecesOf(bytes: Uint8Array): readonly Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += PIECE_BYTES_MAX) {
    pieces.push(bytes.subarray(at, at + PIECE_BYTES_MAX))
  }
  return pieces
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
