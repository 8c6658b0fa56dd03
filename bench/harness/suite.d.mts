import type { LineUp } from './line-up.mjs'

export interface Suite {
  readonly name: string
  readonly engines: LineUp
  readonly rowNames: readonly string[]
  readonly longRowNames: readonly string[]
  readonly scalingRowNames: readonly string[]
}
