import type { Suite } from './suite.mjs'

export interface SuiteOptions {
  readonly rows: readonly string[]
  readonly engines: readonly string[] | undefined
  readonly quick: boolean
  readonly scale: boolean
  readonly profile: boolean
  readonly withoutWaiting: boolean
  readonly writesDocs: boolean
  readonly rounds: number
  readonly counts: { readonly usual: number; readonly small: number; readonly large: number }
  readonly effort: { readonly [work: string]: number }
  readonly cacheBytes: number
  readonly data?: string
}
export function usageOf(suite: Suite): string
export function parseOptions(suite: Suite, args: readonly string[]): SuiteOptions
