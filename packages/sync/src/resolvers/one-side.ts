/** Resolvers that let one side win as it is. */
import type { ConflictResolver } from '../conflicts/conflict-types.ts'

/** The server's state wins: the local edits of the whole group are dropped, and kept in the ledger. */
export function takeRemote(): ConflictResolver {
  return { resolve: () => ({ type: 'takeRemote' }) }
}

/** The local edits win: they are pushed again, over what another device wrote, which the ledger keeps. */
export function keepLocal(): ConflictResolver {
  return { resolve: () => ({ type: 'keepLocal' }) }
}
