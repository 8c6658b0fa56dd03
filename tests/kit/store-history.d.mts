export type Change =
  | { kind: 'put'; table: string; key: string; value: Buffer }
  | { kind: 'delete'; table: string; key: string }
  | { kind: 'clear'; table: string }
export type HistoryState = Map<string, Map<string, string>>
export function changesOf(number: number): Change[]
export function applyTo(state: HistoryState, number: number): void
