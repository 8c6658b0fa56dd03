/** Reading a whole table for `verify`: in batches, letting others run between them, on past no damage. */
import { isEntiDBError } from '../errors/entidb-error.ts'
import type { Reader } from '../store/key-value-store.ts'
import { pause, type Scheduler } from '../store/scheduler.ts'
import type { CollectionCode } from './collection-state.ts'
import type { ProblemList } from './verify-report.ts'

export interface VerifyContext {
  readonly view: Reader
  readonly problems: ProblemList
  readonly scheduler: Scheduler
  /** The migrations of a collection, where they are known. */
  readonly codeOf: (collection: string) => CollectionCode | undefined
  /** So many entries more were looked at. Throws when nobody wants to know any more. */
  readonly advance: (entries: number) => void
}

export interface StoredEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

const BATCH = 512

/**
 * Calls `look` for every batch of entries. False: the table could not be read to its end, and the damage is
 * among the problems.
 */
export async function scanTable(
  context: VerifyContext,
  table: string,
  look: (entries: readonly StoredEntry[]) => void | Promise<void>,
): Promise<boolean> {
  return survives(context, table, async () => {
    const cursor = context.view.scan(table, {})
    for (;;) {
      const { keys, values } = await cursor.next(BATCH)
      if (keys.length === 0) return
      // Keys and values belong together.
      await look(keys.map((key, i) => ({ key, value: values[i] as Uint8Array })))
      context.advance(keys.length)
      await pause(context.scheduler)
    }
  })
}

/** Whether `read`, which reads `table`, met no damage. */
export async function survives(
  { problems }: VerifyContext,
  table: string,
  read: () => Promise<void>,
): Promise<boolean> {
  try {
    await read()
    return true
  } catch (error) {
    if (!isEntiDBError(error, 'corrupt') && !isEntiDBError(error, 'io_failed')) throw error
    problems.addError(error, table)
    return false
  }
}
