// The functions in which a CPU profile (of the inspector's Profiler domain) spent its time itself.

/** `[{ name, place, ms, share }]`, the most expensive first. */
export function topFunctions({ nodes, samples, timeDeltas }, functionsMax = 15) {
  const nodesById = new Map(nodes.map((node) => [node.id, node]))
  const microsByFunction = new Map()
  let total = 0
  for (const [k, id] of samples.entries()) {
    const micros = timeDeltas[k]
    const { callFrame } = nodesById.get(id)
    if (isProfiler(callFrame)) continue
    const key = functionOf(callFrame)
    microsByFunction.set(key, (microsByFunction.get(key) ?? 0) + micros)
    total += micros
  }
  return [...microsByFunction]
    .sort(([, a], [, b]) => b - a)
    .slice(0, functionsMax)
    .map(([key, micros]) => {
      const [name, place] = key.split('\n')
      return { name, place, ms: micros / 1000, share: micros / total }
    })
}

/** The inspector's own work to start and stop the profile. */
function isProfiler({ functionName, url }) {
  return functionName === 'dispatch' && url === ''
}

/** Name and place of the function; a file is named by what follows `dist/`, `node:` or the last slashes. */
function functionOf({ functionName, url, lineNumber }) {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (url === '') return `${name}\n`
  const file = url.startsWith('node:') ? url : url.split('/').slice(-2).join('/')
  return `${name}\n${file}:${lineNumber + 1}`
}
