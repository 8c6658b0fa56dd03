import { EXIT_OK } from '../cli/exit-codes.ts'
import { isUnread } from '../cli/stopped.ts'

/**
 * Runs what writes to stdout. When nobody reads that any more, as in `entidb export ... | head`, it ends without a
 * word: whoever asked has what they wanted.
 */
export async function untilUnread(work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (error) {
    if (isUnread(error)) return EXIT_OK
    throw error
  }
}
