// The functions in which a CPU profile (of the inspector's Profiler domain) spent its time itself.

/** `{ functions: [{ name, place, ms, share }], parts: [{ part, share }] }`, each with the most expensive first. */
export function summarized({ nodes, samples, timeDeltas }, functionsMax = 15) {
  const nodesById = new Map(nodes.map((node) => [node.id, node]))
  const byFunction = new Sums()
  const byPart = new Sums()
  for (const [k, id] of samples.entries()) {
    const { callFrame } = nodesById.get(id)
    if (isProfiler(callFrame)) continue
    byFunction.add(functionOf(callFrame), timeDeltas[k])
    byPart.add(partOf(callFrame), timeDeltas[k])
  }
  const functions = byFunction.largest(functionsMax).map(([key, micros]) => {
    const [name, place] = key.split('\n')
    return { name, place, ms: micros / 1000, share: micros / byFunction.total }
  })
  const parts = byPart.largest().map(([part, micros]) => ({ part, share: micros / byPart.total }))
  return { functions, parts }
}

class Sums {
  #byKey = new Map()
  total = 0

  add(key, micros) {
    this.#byKey.set(key, (this.#byKey.get(key) ?? 0) + micros)
    this.total += micros
  }

  largest(most = Number.POSITIVE_INFINITY) {
    return [...this.#byKey].sort(([, a], [, b]) => b - a).slice(0, most)
  }
}

/** What a function belongs to: a folder of a package, the host, or what V8 names in brackets. */
function partOf({ functionName, url }) {
  const ours = /\/packages\/([^/]+)\/dist\/(?:([^/]+)\/)?/.exec(url)
  if (ours !== null) return ours[2] === undefined ? ours[1] : `${ours[1]}/${ours[2]}`
  if (url.startsWith('node:')) return 'Node'
  if (url !== '') return url.includes('/node_modules/') ? 'libraries' : 'the benchmark'
  if (functionName.startsWith('(')) return functionName
  return functionName === 'fdatasync' ? 'fdatasync' : 'system calls, V8'
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
