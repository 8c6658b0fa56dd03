import type { Api } from './api-reference.d.mts'
/** Text by file name. */
export function renderApi(api: Api): Map<string, string>
