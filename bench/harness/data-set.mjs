// The entities of the benchmarks. Entity i is computed from i alone: the same in every process and
// every engine, and a process that reads 5 million of them need not hold any.

export const STATUSES = ['open', 'active', 'waiting', 'done', 'archived']

const SEED = 0x5eed
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-'
const FIRST = ['Ada', 'Alan', 'Barbara', 'Claude', 'Donald', 'Edsger', 'Frances', 'Grace']
const LAST = ['Lovelace', 'Turing', 'Liskov', 'Shannon', 'Knuth', 'Dijkstra', 'Allen', 'Hopper']
const CITIES = ['Aarhus', 'Bern', 'Cambridge', 'Delft', 'Edinburgh', 'Florence', 'Graz', 'Haifa']
const TAGS = ['urgent', 'billing', 'export', 'mobile', 'import', 'review', 'legacy', 'beta']
const EPOCH_MS = 1_700_000_000_000

/** 32 bits that look random; for one `stream`, different i give different numbers. */
function mix(i, stream) {
  let h = (i ^ Math.imul(stream + SEED, 0x9e3779b9)) >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Sixteen random characters, a new string at every call, as if read from a request. */
export function idAt(i) {
  const codes = new Array(16)
  for (let word = 0; word < 4; word++) {
    const bits = mix(i, word)
    for (let k = 0; k < 4; k++) codes[word * 4 + k] = ALPHABET.charCodeAt((bits >>> (6 * k)) & 63)
  }
  return String.fromCharCode(...codes)
}

/** Milliseconds, different for every entity, in no relation to the order of insertion. */
export function createdAtOf(i) {
  return EPOCH_MS + mix(i, 7)
}

export function statusOf(i) {
  return STATUSES[mix(i, 8) % STATUSES.length]
}

export function visitsOf(i) {
  return mix(i, 5) % 1000
}

export function emailOf(i) {
  const { first, last } = namesOf(i)
  return `${first}.${last}.${i}@example.org`
}

/** About 200 bytes as JSON. Plain strings as a parser makes them, not concatenations left to be joined. */
export function entityAt(i) {
  return JSON.parse(JSON.stringify(draftOf(i)))
}

/** The checksum of entity i, without making it. */
export function checksumAt(i) {
  return checksumOf(draftOf(i))
}

function draftOf(i) {
  const bits = mix(i, 5)
  const { first, last } = namesOf(i)
  return {
    id: idAt(i),
    name: `${first} ${last}`,
    email: emailOf(i),
    status: statusOf(i),
    city: CITIES[(bits >>> 6) & 7],
    createdAt: createdAtOf(i),
    visits: visitsOf(i),
    score: (mix(i, 6) % 10_000) / 100,
    tags: [TAGS[(bits >>> 9) & 7], TAGS[(bits >>> 12) & 7]],
  }
}

function namesOf(i) {
  const bits = mix(i, 5)
  return { first: FIRST[bits & 7], last: LAST[(bits >>> 3) & 7] }
}

export function entitiesBetween(from, to) {
  return Array.from({ length: to - from }, (_, k) => entityAt(from + k))
}

/** Random numbers below `count`, with repetition. */
export function randomIndexes(length, count, seed) {
  return Uint32Array.from({ length }, (_, k) => mix(k, 100 + seed) % count)
}

/** Random numbers below `count`, all different. */
export function distinctIndexes(length, count, seed) {
  const all = Uint32Array.from({ length: count }, (_, k) => k)
  for (let k = 0; k < length; k++) {
    const other = k + (mix(k, 200 + seed) % (count - k))
    const taken = all[other]
    all[other] = all[k]
    all[k] = taken
  }
  return all.slice(0, length)
}

/** A number that depends on every field: whoever computes it has decoded the entity. */
export function checksumOf(entity) {
  const { id, name, email, status, city, createdAt, visits, score, tags } = entity
  return (
    (createdAt % 1_000_003) +
    visits * 7 +
    Math.round(score * 100) * 3 +
    id.charCodeAt(15) +
    name.length +
    email.charCodeAt(email.length - 13) +
    status.charCodeAt(1) * 5 +
    city.charCodeAt(0) +
    tags[0].length * tags[1].charCodeAt(0)
  )
}
