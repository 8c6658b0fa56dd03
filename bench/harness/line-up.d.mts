export interface Entry {
  readonly kind: 'ours' | 'peer' | 'beside' | 'in memory' | 'variant' | 'limit'
  readonly module: string
  readonly options?: object
  readonly placeOf?: string
  readonly isVolatile?: boolean
  readonly entitiesMost?: number
  readonly effortShare?: number
  readonly effortShares?: { readonly [work: string]: number }
  readonly color?: string
}
export interface TakingPart {
  readonly engines?: readonly string[]
  readonly unlessNamed?: readonly string[]
  readonly withLimits?: boolean
  readonly variants?: readonly string[]
}
export const OURS: string
export class LineUp {
  constructor(
    entries: { readonly [name: string]: Entry },
    importAdapter: (module: string) => Promise<object>,
  )
  readonly names: string[]
  readonly peers: string[]
  readonly beside: string | undefined
  readonly columns: string[]
  takingPart(workload: TakingPart, chosen?: readonly string[], count?: number): string[]
  effortOf(name: string, effort: { readonly [work: string]: number }): { [work: string]: number }
}
