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
export interface ProfileFigures {
  readonly date: string
  readonly commit: string
  readonly machine: string
  readonly functions: readonly {
    readonly name: string
    readonly place: string
    readonly share: number
  }[]
  readonly parts: readonly { readonly part: string; readonly share: number }[]
}
export interface Figures {
  readonly rows: { readonly [row: string]: RowFigures }
  readonly scale?: object
  readonly profiles?: { readonly [workload: string]: ProfileFigures }
}
export function formatPage(suite: Suite, figures: Figures, previous: string): string
