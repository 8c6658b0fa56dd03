export interface StoreOptions {
  readonly rows: readonly string[]
  readonly engines: readonly string[] | undefined
  readonly quick: boolean
  readonly scale: boolean
  readonly profile: boolean
  readonly withoutWaiting: boolean
  readonly writesDocs: boolean
  readonly rounds: number
  readonly count: number
  readonly largeCount: number
  readonly cacheBytes: number
  readonly data?: string
}
export const USAGE: string
export function parseStoreOptions(args: readonly string[]): StoreOptions
