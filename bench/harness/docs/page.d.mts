import type { Suite } from '../suite.mjs'

export interface RowFigures {
  readonly date: string
  readonly commit: string
  readonly rounds: number
  readonly machine: string
  readonly busyMachine?: boolean
  readonly entities: number
  readonly engines: {
    readonly [engine: string]: {
      readonly median: number
      readonly min: number
      readonly max: number
    }
  }
}
export interface Figures {
  readonly rows: { readonly [row: string]: RowFigures }
  readonly scale?: object
}
export function formatPage(suite: Suite, figures: Figures, previous: string): string
