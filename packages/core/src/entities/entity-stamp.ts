/**
 * Names one stored state of one entity of this database: `stamp` is the opId of the write that made
 * it, local or applied, so that two states never share one. `versionOf(entity)` carries it.
 */
export interface EntityStamp {
  /** 0 when no entity is stored. */
  readonly stamp: number
}
