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
  addUnfinished(
    workload: { readonly rows: readonly RowName[] },
    engine: string,
    minutes: number,
  ): void
  unfinishedIn(row: string): { readonly engine: string; readonly minutes: number }[]
  figuresOf(row: string, engines: readonly string[]): Map<string, number[]>
  isDisturbed(row: string): boolean
}
