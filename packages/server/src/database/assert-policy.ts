/** A policy that was misspelt would allow what it was meant to forbid. */
import { assertOptions } from '@entidb/core'
import type { CollectionPolicy, Policy } from './policy.ts'

/** @throws TypeError */
export function assertPolicy(policy: Policy): void {
  assertOptions('policy', policy, ['collections', 'otherCollections', 'validate', 'scope'])
  const { collections = {}, otherCollections = {}, validate, scope } = policy
  for (const [name, call] of Object.entries({ validate, scope })) {
    if (call !== undefined && typeof call !== 'function') {
      throw new TypeError(`policy.${name} is a function`)
    }
  }
  if (typeof collections !== 'object') throw new TypeError('policy.collections is an object')
  for (const [name, rules] of Object.entries(collections)) {
    assertRules(`policy.collections.${name}`, rules)
  }
  assertRules('policy.otherCollections', otherCollections)
}

function assertRules(subject: string, rules: CollectionPolicy): void {
  assertOptions(subject, rules, ['read', 'write'])
  for (const [name, rule] of Object.entries(rules)) {
    if (rule !== undefined && typeof rule !== 'boolean' && typeof rule !== 'function') {
      throw new TypeError(`${subject}.${name} is true, false or a function`)
    }
  }
}
