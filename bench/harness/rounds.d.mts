import type { SuiteOptions } from './options.mjs'
import type { Samples } from './samples.mjs'
import type { Suite } from './suite.mjs'

export function runRounds(
  suite: Suite,
  settings: SuiteOptions & { readonly progress: (text: string) => void },
): Promise<Samples>
