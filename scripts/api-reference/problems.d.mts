import type { Api } from './api-reference.d.mts'
export function apiProblems(api: Api): string[]
