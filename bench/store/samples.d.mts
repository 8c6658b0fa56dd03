export interface Outcome {
  readonly figures: { readonly [row: string]: number }
  readonly waited: number
}
export class Samples {
  add(
    workload: { readonly name: string; readonly rows: readonly { readonly name: string }[] },
    engine: string,
    outcome: Outcome,
  ): void
  figuresOf(row: string, engines: readonly string[]): Map<string, number[]>
  isDisturbed(row: string, engine: string): boolean
}
