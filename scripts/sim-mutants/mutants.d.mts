export interface MutantEdit {
  /** `sync/src/...`: below `packages`. */
  readonly file: string
  /** There exactly once. */
  readonly find: string
  readonly replace: string
}

export interface SimMutant {
  readonly name: string
  readonly hazard: string
  /** It has to be noticed within so many seeds. */
  readonly seedsMax: number
  readonly edits: readonly MutantEdit[]
}

export const packages: readonly string[]
export const mutants: readonly SimMutant[]
