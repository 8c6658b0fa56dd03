export interface RowName {
  readonly name: string
  readonly isTimed?: boolean
}
export interface Outcome {
  readonly figures: { readonly [row: string]: number }
  readonly waited: number
}
export class Samples {
  add(
    workload: { readonly name: string; readonly rows: readonly RowName[] },
    engine: string,
    outcome: Outcome,
  ): void
  figuresOf(row: string, engines: readonly string[]): Map<string, number[]>
  isDisturbed(row: string): boolean
}
