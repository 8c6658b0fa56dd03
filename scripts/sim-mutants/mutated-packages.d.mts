import type { MutantEdit } from './mutants.mjs'

export class MutatedPackages {
  /** The first seed that fails, and why; null when none of `seedsMax` does. */
  firstFailure(
    edits: readonly MutantEdit[],
    seedsMax: number,
  ): Promise<{ readonly seed: number; readonly message: string } | null>
  remove(): void
}

/** File and JavaScript of each edited source. Throws when what an edit replaces is not there, or more than once. */
export function mutated(
  edits: readonly MutantEdit[],
): readonly (readonly [file: string, script: string])[]
