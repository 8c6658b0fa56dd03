/** The versions of an application, each complete: what a later one does not name is that of the one before. */
import type { CollectionDefinitions } from '@entidb/core'
import type { ConflictResolver } from '@entidb/sync'
import type { Action, Application } from './application.ts'
import { assertApplication } from './assert-application.ts'

/** What runs on a device of one version. */
export interface CompleteVersion {
  readonly collections: CollectionDefinitions
  readonly actions: Readonly<Record<string, Action>>
  readonly resolvers: Readonly<Record<string, ConflictResolver | undefined>>
  readonly decide: ConflictResolver
}

/** Oldest first, at least one. Error: TypeError for what is no application, and when they do not have the same collections. */
export function versionsOf(application: Application): readonly CompleteVersion[] {
  assertApplication(application)
  const { collections, actions, resolvers, decide } = application
  let newest: CompleteVersion = { collections, actions, resolvers, decide }
  const versions = [newest]
  for (const later of application.later ?? []) {
    newest = {
      collections: later.collections,
      actions: { ...newest.actions, ...later.actions },
      resolvers: { ...newest.resolvers, ...later.resolvers },
      decide: later.decide ?? newest.decide,
    }
    assertSameNames(collections, later.collections)
    versions.push(newest)
  }
  return versions
}

function assertSameNames(first: CollectionDefinitions, later: CollectionDefinitions): void {
  const [names, laterNames] = [Object.keys(first).sort(), Object.keys(later).sort()]
  if (names.join() === laterNames.join()) return
  throw new TypeError(`all versions have the same collections: ${names}, not ${laterNames}`)
}
