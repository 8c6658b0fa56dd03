/** An application that was misspelt would simulate less than it says: an `invariants` that nobody asks finds nothing. */
import { assertOptions } from '@entidb/core'
import type { Action, Application, ApplicationVersion } from './application.ts'

/** @throws TypeError */
export function assertApplication(application: Application): void {
  assertOptions('An application', application, [
    ...['collections', 'setUp', 'actions', 'resolvers', 'decide'],
    ...['later', 'policy', 'invariant'],
  ])
  const { collections, actions, resolvers, decide, later = [], setUp, invariant } = application
  assertCollections('collections', collections)
  assertActions('actions', actions)
  assertResolvers('resolvers', resolvers)
  if (Object.keys(resolvers).length === 0) {
    throw new TypeError('resolvers names none; a device without one is { none: undefined }')
  }
  assertResolver('decide', decide)
  for (const [name, method] of Object.entries({ setUp, invariant })) {
    if (method !== undefined) assertFunction(name, method)
  }
  if (!Array.isArray(later)) throw new TypeError('later is a list of versions')
  for (const [index, version] of later.entries()) assertVersion(`later[${index}]`, version)
}

function assertVersion(subject: string, version: ApplicationVersion): void {
  assertOptions(subject, version, ['collections', 'actions', 'resolvers', 'decide'])
  const { collections, actions = {}, resolvers = {}, decide } = version
  assertCollections(`${subject}.collections`, collections)
  assertActions(`${subject}.actions`, actions)
  assertResolvers(`${subject}.resolvers`, resolvers)
  if (decide !== undefined) assertResolver(`${subject}.decide`, decide)
}

function assertCollections(subject: string, collections: object): void {
  assertObject(subject, collections)
  if (Object.keys(collections).length === 0) throw new TypeError(`${subject} names none`)
}

function assertActions(subject: string, actions: Readonly<Record<string, Action>>): void {
  assertObject(subject, actions)
  for (const [name, action] of Object.entries(actions)) {
    assertOptions(`${subject}.${name}`, action, ['weight', 'run'])
    assertFunction(`${subject}.${name}.run`, action.run)
    const { weight = 1 } = action
    // Half an action would never happen.
    if (!(Number.isSafeInteger(weight) && weight >= 0)) {
      throw new TypeError(`${subject}.${name}.weight is a whole number from 0, not ${weight}`)
    }
  }
}

function assertResolvers(subject: string, resolvers: Application['resolvers']): void {
  assertObject(subject, resolvers)
  for (const [name, resolver] of Object.entries(resolvers)) {
    if (resolver !== undefined) assertResolver(`${subject}.${name}`, resolver)
  }
}

/** It may be of a class, and have more than what is asked of it. */
function assertResolver(subject: string, resolver: Application['decide']): void {
  assertObject(subject, resolver)
  assertFunction(`${subject}.resolve`, resolver.resolve)
}

function assertObject(subject: string, value: object): void {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${subject} is an object`)
}

function assertFunction(subject: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${subject} is a function`)
}
