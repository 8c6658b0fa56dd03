import type { Suite } from './suite.mjs'

export const SUITE_NAMES: readonly string[]
export function suiteNamed(name: string): Promise<Suite>
