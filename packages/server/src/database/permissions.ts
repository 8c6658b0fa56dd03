/** A policy applied to one identity. */
import { createHash } from 'node:crypto'
import type { Identity } from '../auth/identity.ts'
import type { CollectionPolicy, EntityRule, Policy } from './policy.ts'

const EVERYTHING: CollectionPolicy = {}

export class Permissions {
  readonly identity: Identity
  /** No rule hides anything. */
  readonly readsAll: boolean
  readonly #policy: Policy

  constructor(policy: Policy, identity: Identity) {
    this.#policy = policy
    this.identity = identity
    this.readsAll = rulesOf(policy).every(([, rules]) => (rules.read ?? true) === true)
  }

  mayRead(collection: string, entityId: string): boolean {
    return this.#holds(this.#rulesFor(collection).read, entityId)
  }

  mayWrite(collection: string, entityId: string): boolean {
    return (
      this.identity.access === 'write' &&
      this.#holds(this.#rulesFor(collection).write, entityId) &&
      this.mayRead(collection, entityId)
    )
  }

  /** Whether all of the collection is visible, so that numbers about it tell nothing hidden. */
  readsWholly(collection: string): boolean {
    return (this.#rulesFor(collection).read ?? true) === true
  }

  /** Opaque; equal as long as the identity may see the same entities. */
  get scope(): string {
    if (this.#policy.scope !== undefined) return this.#policy.scope(this.identity)
    if (this.readsAll) return 'all'
    const seen = rulesOf(this.#policy).map(([name, rules]) => {
      const read = rules.read ?? true
      return [name, typeof read === 'boolean' ? read : this.identity.subject]
    })
    return createHash('sha256').update(JSON.stringify(seen)).digest('base64url').slice(0, 22)
  }

  #rulesFor(collection: string): CollectionPolicy {
    const { collections, otherCollections } = this.#policy
    if (collections !== undefined && Object.hasOwn(collections, collection)) {
      return collections[collection] ?? EVERYTHING
    }
    return otherCollections ?? EVERYTHING
  }

  #holds(rule: EntityRule | undefined, entityId: string): boolean {
    if (typeof rule !== 'function') return rule ?? true
    const holds = rule(this.identity, entityId)
    if (typeof holds === 'boolean') return holds
    // A promise, of a rule that is asynchronous, would pass for yes.
    throw new TypeError('A rule of the policy must answer true or false')
  }
}

function rulesOf({ collections, otherCollections }: Policy): [string, CollectionPolicy][] {
  const named = Object.entries(collections ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  // No collection is called '*'.
  return [...named, ['*', otherCollections ?? EVERYTHING]]
}
