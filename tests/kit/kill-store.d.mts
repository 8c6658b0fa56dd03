import type { HistoryState } from './store-history.mjs'

export interface History {
  readonly acknowledged: number
  stateAt(number: number): HistoryState
}
export interface KillCounts {
  kills: number
  killsWhileOpening: number
  replays: number
  commits: number
}
export function killStore(options: {
  directory: string
  kills: number
  random: () => number
  inspect?: (directory: string, history: History) => Promise<void>
  onKill?: (counts: KillCounts) => void
}): Promise<KillCounts>
