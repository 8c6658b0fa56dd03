/** Node lines past their end of life get no security fixes: no place to face the internet from. */

const END_OF_LIFE_BY_MAJOR: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  21: '2024-06-01',
  22: '2027-04-30',
  23: '2025-06-01',
  24: '2028-04-30',
  25: '2026-06-01',
  26: '2029-04-30',
}

/**
 * What to tell the operator, or undefined. `version` as `process.versions.node` has it. A line newer
 * than this table says nothing.
 */
export function nodeLineWarning(version: string, nowMs: number): string | undefined {
  const major = Number(version.split('.')[0])
  const end = END_OF_LIFE_BY_MAJOR[major] ?? (major < 20 ? '2025-04-30' : undefined)
  if (end === undefined || nowMs < Date.parse(end)) return undefined
  return `Node ${version} belongs to a line whose end of life was ${end}: it gets no security fixes. Use a current LTS line, or put a patched proxy in front.`
}
