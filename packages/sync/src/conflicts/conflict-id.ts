/**
 * Ids of listed conflicts: the pair of states and, where the entity is not alone, the edits of the group, which would be
 * given up with it. A decision that gives none up asks for the pair only.
 */
import { type EntityRef, entityRef } from '../entity-ref.ts'
import { editsDigest, type GroupView } from './group-view.ts'

/** What makes ids of pairs. */
export function conflictIdsOf(view: GroupView): (pair: string) => string {
  if (view.members.size === 1) return (pair) => pair
  const edits = editsDigest(view)
  return (pair) => `${edits}:${pair}`
}

/** Undefined for text that is no id. */
export function parseConflictId(
  id: string,
): { readonly pair: string; readonly ref: EntityRef } | undefined {
  const match = /^(?:[0-9a-f]{16}:)?(\d+:\d+(?:\.[0-9a-f]+)?:([^/]+\/.+))$/s.exec(id)
  const [, pair, key] = match ?? []
  return pair === undefined || key === undefined ? undefined : { pair, ref: entityRef(key) }
}
