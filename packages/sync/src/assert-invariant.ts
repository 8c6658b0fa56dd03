/** Throws at once, also in production, when an invariant of the program itself is broken. */
export function assertInvariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`EntiDB invariant broken: ${message}`)
}
