import type { Api } from './api-reference.d.mts'
export function readApi(repository: string): Api
