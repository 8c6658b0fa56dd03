// What the workloads of sync compare before they believe a figure.
import { createHash } from 'node:crypto'
import { assertEqual, Checksum, numbersBetween } from '../harness/checks.mjs'
import { entityAt, idAt } from '../harness/data-set.mjs'
import { outcomesAt } from './edits.mjs'

const FIELDS = Object.keys(entityAt(0))

/** The device holds the first `count` entities and nothing else: the number, and every field by its checksum. */
export async function assertHolds(device, count) {
  const seen = new Checksum()
  await device.scan(seen.visit)
  seen.assertIs('the device', numbersBetween(0, count))
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
