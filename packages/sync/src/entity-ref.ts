/** Names one entity. */
export interface EntityRef {
  readonly collection: string
  readonly entityId: string
}

/** One text per entity: a collection's name holds no slash. */
export function entityKey({ collection, entityId }: EntityRef): string {
  return `${collection}/${entityId}`
}

export function entityRef(key: string): EntityRef {
  const slash = key.indexOf('/')
  return { collection: key.slice(0, slash), entityId: key.slice(slash + 1) }
}
