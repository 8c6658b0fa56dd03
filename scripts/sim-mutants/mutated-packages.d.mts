import type { MutantEdit } from './mutants.mjs'

export class MutatedPackages {
  /** The first seed that fails, and why; null when none of `seedsMax` does. */
  firstFailure(
    edits: readonly MutantEdit[],
    seedsMax: number,
  ): Promise<{ readonly seed: number; readonly message: string } | null>
  remove(): void
}
