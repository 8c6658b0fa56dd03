/** Throws at once, also in production, when an invariant of the program itself is broken. */
export function assertInvariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`EntiDB invariant broken: ${message}`)
}

/** A misspelt option would be ignored for ever. @throws TypeError */
export function assertOptions(subject: string, given: object, known: readonly string[]): void {
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`${subject} takes an object of options`)
  }
  for (const option of Object.keys(given)) {
    if (!known.includes(option)) {
      throw new TypeError(`${subject} has no option ${option}; there are ${known.join(', ')}`)
    }
  }
}
