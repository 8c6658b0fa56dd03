/** One transaction of an application, as the oracle remembers it. */
import type { WriteNode } from './write-graph.ts'

export interface LocalTransaction {
  readonly device: string
  readonly name: string
  /** Deletes too. */
  readonly writes: readonly WriteNode[]
  /** Of the receipt; empty until it is known. */
  opIds: readonly number[]
  acknowledged: boolean
  /** False: parts of it may be accepted without the others. */
  isAtomic: boolean
}
