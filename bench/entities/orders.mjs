// In which order the entities of the data set come out of queries.
import { createdAtOf, statusOf } from '../harness/data-set.mjs'

/** The numbers of all entities, lowest `createdAt` first. */
export function numbersByCreatedAt(count) {
  const ordered = Uint32Array.from({ length: count }, (_, i) => i)
  return ordered.sort((a, b) => createdAtOf(a) - createdAtOf(b))
}

/** Status -> the numbers of its entities, highest `createdAt` first. */
export function newestByStatus(count) {
  const numbers = new Map()
  for (const i of numbersByCreatedAt(count).reverse()) {
    const status = statusOf(i)
    const ofStatus = numbers.get(status)
    if (ofStatus === undefined) numbers.set(status, [i])
    else ofStatus.push(i)
  }
  return numbers
}
