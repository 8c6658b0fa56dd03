export interface Goal {
  readonly over?: string
  readonly least?: number
  readonly most?: number
}
export interface Row {
  readonly unit: string
  readonly lessIsBetter?: boolean
  readonly goals: readonly Goal[]
}
export interface Verdict {
  readonly wanted: string
  readonly measured: string
  readonly holds: boolean | undefined
}
export function bestPeerOf(row: Row, medians: ReadonlyMap<string, number>): string | undefined
export function judge(row: Row, medians: ReadonlyMap<string, number>): Verdict[]
