// What the workloads of sync compare before they believe a figure.
import { createHash } from 'node:crypto'
import { assertEqual } from '../harness/checks.mjs'
import { entityAt, idAt } from '../harness/data-set.mjs'
import { outcomesAt } from './edits.mjs'

const FIELDS = Object.keys(entityAt(0))

/** The device holds the first `count` entities and nothing else, every field as it was put in. */
export async function assertHolds(device, count) {
  const [seen, expected] = [new Digest(), new Digest()]
  await device.scan((entity) => seen.add(entity))
  for (let i = 0; i < count; i++) expected.add(entityAt(i))
  assertEqual('number of entities on the device', seen.count, expected.count)
  assertEqual('digest of all fields on the device', seen.sum, expected.sum)
}

/** Of entities in any order; holds none of them. */
class Digest {
  count = 0
  sum = 0n

  add(entity) {
    this.count++
    this.sum += createHash('sha256').update(textOf(entity)).digest().readBigUInt64LE()
  }
}

/**
 * A hash of all fields of all entities, and whether each is what a merge of the two edits may give. Error: another
 * number of entities.
 */
export async function stateOf(device, count, mergesFields) {
  const textsById = new Map()
  await device.scan((entity) => textsById.set(entity.id, textOf(entity)))
  assertEqual('number of entities', textsById.size, count)
  const hash = createHash('sha256')
  let isSettled = true
  for (let i = 0; i < count; i++) {
    const text = textsById.get(idAt(i))
    const outcomes = outcomesAt(i, mergesFields).map(textOf)
    isSettled &&= outcomes.includes(text)
    hash.update(text ?? '')
  }
  return { hash: hash.digest('hex'), isSettled }
}

function textOf(entity) {
  return JSON.stringify(FIELDS.map((field) => entity[field]))
}
