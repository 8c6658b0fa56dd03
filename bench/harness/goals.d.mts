export interface Goal {
  readonly over?: string
  readonly among?: readonly string[]
  readonly overRow?: string
  readonly least?: number
  readonly most?: number
}
export interface Row {
  readonly name: string
  readonly unit: string
  readonly lessIsBetter?: boolean
  readonly of?: string
  readonly goals: readonly Goal[]
}
export interface Verdict {
  readonly wanted: string
  readonly measured: string
  readonly holds: boolean | undefined
}
export type Medians = ReadonlyMap<string, number>
export function bestPeerOf(row: Row, medians: Medians, peers: readonly string[]): string | undefined
export function judge(
  row: Row,
  mediansOf: (rowName: string) => Medians,
  peers: readonly string[],
): Verdict[]
