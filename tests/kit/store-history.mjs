// The history that the killed stores are to have: what commit number N changes follows from N alone, so that
// whoever knows how many commits there are knows everything that is to be found.

const tables = ['a', 'b', 'c']
const keys = 700

/** Numbers in [0, 1), the same for the same commit. */
function randomOf(number) {
  let state = Math.imul(number, 0x9e3779b1) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The changes of commit `number`, in their order. Every one also counts itself. */
export function changesOf(number) {
  const random = randomOf(number)
  const below = (bound) => Math.floor(random() * bound)
  const changes = [{ kind: 'put', table: 'count', key: 'commits', value: bytesOf(number, 8) }]
  if (number % 61 === 0) changes.push({ kind: 'clear', table: 'c' })
  for (let i = below(12); i >= 0; i--) {
    const table = tables[below(tables.length)]
    const key = `key ${below(keys)}`
    if (random() < 0.3) changes.push({ kind: 'delete', table, key })
    else changes.push({ kind: 'put', table, key, value: bytesOf(number * 16 + i, 10 + below(300)) })
  }
  if (number % 23 === 0) {
    const key = `large ${below(3)}`
    changes.push({ kind: 'put', table: 'b', key, value: bytesOf(number, 20_000 + below(150_000)) })
  }
  return changes
}

function bytesOf(number, length) {
  const bytes = Buffer.alloc(length, number % 251)
  bytes.writeDoubleLE(number, 0)
  return bytes
}

/** Does what commit `number` does to a map of tables, each a map of values in base64 by key. */
export function applyTo(state, number) {
  for (const { kind, table, key, value } of changesOf(number)) {
    if (!state.has(table)) state.set(table, new Map())
    if (kind === 'put') state.get(table).set(key, value.toString('base64'))
    else if (kind === 'delete') state.get(table).delete(key)
    else state.get(table).clear()
    if (state.get(table).size === 0) state.delete(table)
  }
}
