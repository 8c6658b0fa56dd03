/** What `verify` answers, and the gathering of it. */
import type { EntiDBError } from '../errors/entidb-error.ts'
import { idOfKey } from './entity-id.ts'
import { roleOfTable } from './table-role.ts'

/**
 * - `corrupt`: bytes in a file are not what was written, or not where they belong.
 * - `invalid_record`: what is stored is intact and not of the form that it should have.
 * - `index_missing`, `index_extra`, `index_wrong`: an index lacks the entry of an entity, has one that no
 *   entity asks for, or has it with a wrong value.
 * - `migration_failed`: an entity is stored in an older version, and no migration brings it up: reading it fails
 *   with this code. Only `db.verify` can tell.
 */
export type VerifyProblemCode =
  | 'corrupt'
  | 'invalid_record'
  | 'index_missing'
  | 'index_extra'
  | 'index_wrong'
  | 'migration_failed'

/** Fields are there where they are known. */
export interface VerifyProblem {
  readonly code: VerifyProblemCode
  readonly file?: string
  /** In the file, in bytes. */
  readonly offset?: number
  readonly collection?: string
  readonly id?: string
  readonly message: string
}

/** What a check found. */
export interface VerifyReport {
  /** There is no problem. */
  readonly ok: boolean
  /** The first thousand. */
  readonly problems: readonly VerifyProblem[]
  /** Of how much this can be said. */
  readonly checked: {
    /** Separately checksummed pieces of the data file, and their bytes. */
    readonly extents: number
    readonly bytes: number
    readonly entities: number
    readonly indexEntries: number
    /** Rows of replication and of the change feed. */
    readonly rows: number
  }
}

/** How far a check is. */
export interface VerifyProgress {
  /** The files are checked first, then what is in them. */
  readonly phase: 'files' | 'entities'
  readonly done: number
  /** In the same unit as `done`, which each phase has its own of. */
  readonly total: number
}

const PROBLEMS_MAX = 1000

export class ProblemList {
  readonly problems: VerifyProblem[] = []
  readonly #places = new Set<string>()

  add(problem: VerifyProblem): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push(problem)
  }

  /** Once for each place, however many readers meet it. */
  addDamage(damage: {
    readonly file: string
    readonly offset: number
    readonly message: string
    readonly table: string | undefined
    readonly key: Uint8Array | undefined
  }): void {
    const { file, offset, message, table, key } = damage
    const place = `${file}:${offset}:${message}`
    if (this.#places.has(place)) return
    this.#places.add(place)
    this.add({ code: 'corrupt', file, offset, ...whereabouts(table, key), message })
  }

  /** A read of `table` failed. */
  addError(error: EntiDBError, table: string): void {
    const { file, offset } = error.details
    this.addDamage({
      file: typeof file === 'string' ? file : '',
      offset: typeof offset === 'number' ? offset : 0,
      message: error.message,
      table,
      key: undefined,
    })
  }
}

function whereabouts(
  table: string | undefined,
  key: Uint8Array | undefined,
): Pick<VerifyProblem, 'collection' | 'id'> {
  if (table === undefined) return {}
  const { kind, collection } = roleOfTable(table)
  if (collection === undefined) return {}
  const hasIds = kind === 'records' || kind === 'replica'
  return key === undefined || !hasIds ? { collection } : { collection, id: idOfKey(key) }
}
