/** The command line was wrong. The message says what to write instead; ends with `EXIT_USAGE`. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
