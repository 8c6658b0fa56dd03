export interface TableRow {
  readonly name: string
  readonly rates: readonly number[]
}
export interface TableOptions {
  readonly heading?: string
  readonly digits?: number
  readonly hasOurs?: boolean
}
export function median(numbers: readonly number[]): number
export function formatNumber(value: number, digits?: number): string
export function formatColumns(lines: readonly (readonly string[])[], leftColumns?: number): string
export function formatTable(rows: readonly TableRow[], options?: TableOptions): string
export function printTable(title: string, rows: readonly TableRow[], options?: TableOptions): void
