/** A collection as an open database knows it. */
import { assertOptions } from '../errors/assert.ts'
import type { CollectionDefinition, Direction } from './collection-definition.ts'
import type { CollectionCache } from './entity-cache.ts'
import { isFieldPath } from './field-path.ts'
import {
  createIndexPlan,
  type IndexFieldSpec,
  type IndexPlan,
  type IndexSpec,
} from './index-plan.ts'
import { createMigrationChain, type MigrationChain } from './migration-chain.ts'
import { uniqueIndexesOf } from './point-lookup.ts'
import type { StandardSchema } from './standard-schema.ts'

export interface CollectionState {
  readonly name: string
  /** Named with a leading `_`: outside the change feed and replication. */
  readonly isSystem: boolean
  /** False for one that only replication, or an earlier definition, speaks of. */
  readonly isDefined: boolean
  readonly recordTable: string
  readonly replicaTable: string
  readonly schema: StandardSchema | undefined
  readonly schemaVersion: number
  /** Undefined where nobody knows its migrations: older entities are read as they are stored. */
  readonly chain: MigrationChain | undefined
  readonly indexes: readonly IndexPlan[]
  /** Those of them that tell what readers see: all, but where a tool does not know the migrations. */
  readonly queryIndexes: readonly IndexPlan[]
  readonly hasUnique: boolean
  /** Of `queryIndexes`, by its field, each that is unique by one field alone. */
  readonly uniqueIndexes: ReadonlyMap<string, IndexPlan>
  readonly cache: CollectionCache
  readonly maxIdBytes: number
  readonly maxEntityBytes: number
}

export interface CollectionSpec {
  readonly schemaVersion: number
  readonly indexes: { readonly [name: string]: IndexSpec }
}

export interface CollectionSetting {
  readonly name: string
  readonly spec: CollectionSpec
  /** Undefined where only what is stored is known. */
  readonly code: CollectionCode | undefined
  readonly isDefined: boolean
  readonly cache: CollectionCache
  readonly maxIdBytes: number
  readonly maxEntityBytes: number
}

/** The part of a definition that is not stored. */
export interface CollectionCode {
  readonly schema: StandardSchema | undefined
  readonly chain: MigrationChain
}

const RECORD_PREFIX = 'c:'
const REPLICA_PREFIX = 'r:'

export function createCollectionState(setting: CollectionSetting): CollectionState {
  const { name, spec, code, isDefined, cache, maxIdBytes, maxEntityBytes } = setting
  const indexes = Object.entries(spec.indexes).map(([index, value]) =>
    createIndexPlan(name, index, value),
  )
  return {
    name,
    cache,
    maxIdBytes,
    maxEntityBytes,
    schema: code?.schema,
    chain: code?.chain,
    isDefined,
    isSystem: isSystemName(name),
    recordTable: recordTable(name),
    replicaTable: replicaTable(name),
    schemaVersion: spec.schemaVersion,
    indexes,
    queryIndexes: indexes,
    hasUnique: indexes.some(({ unique }) => unique),
    uniqueIndexes: uniqueIndexesOf(indexes),
  }
}

export function isSystemName(name: string): boolean {
  return name.startsWith('_')
}

export function recordTable(collection: string): string {
  return RECORD_PREFIX + collection
}

export function replicaTable(collection: string): string {
  return REPLICA_PREFIX + collection
}

/** The collection that a table holds records or replica rows of. */
export function collectionOfTable(table: string): string | undefined {
  const prefix = table.slice(0, 2)
  return prefix === RECORD_PREFIX || prefix === REPLICA_PREFIX ? table.slice(2) : undefined
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/

/** 1 to 64 of `A-Z a-z 0-9 _ -`. @throws TypeError */
export function assertCollectionName(name: string, options: { readonly system: boolean }): void {
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new TypeError(`A collection is named by 1 to 64 of A-Z a-z 0-9 _ -, not ${String(name)}`)
  }
  if (isSystemName(name) === options.system) return
  throw new TypeError(
    options.system
      ? `A system collection is named with a leading _, not ${name}`
      : `Names with a leading _, such as ${name}, are reserved`,
  )
}

/** The definition in its one stored form. @throws TypeError for one that makes no sense. */
export function specOf(name: string, definition: CollectionDefinition): CollectionSpec {
  assertOptions(`The collection ${name}`, definition, [
    'schema',
    'version',
    'migrations',
    'indexes',
  ])
  const schemaVersion = definition.version ?? 1
  if (!Number.isSafeInteger(schemaVersion) || schemaVersion < 1) {
    throw new TypeError(`The version of ${name} must be an integer of at least 1`)
  }
  const { schema } = definition
  if (schema !== undefined && typeof schema['~standard']?.validate !== 'function') {
    throw new TypeError(`The schema of ${name} is no Standard Schema`)
  }
  const indexes = Object.entries(definition.indexes ?? {}).map(([index, options]) => {
    if (!NAME.test(index)) {
      throw new TypeError(`An index is named by 1 to 64 of A-Z a-z 0-9 _ -, not ${index}`)
    }
    return [index, indexSpec(`${name}.${index}`, options)] as const
  })
  // Not by assigning: an index may have the name of what every object inherits.
  return { schemaVersion, indexes: Object.fromEntries(indexes) }
}

/** What of the definition runs. @throws TypeError for migrations that make no sense. */
export function codeOf(name: string, definition: CollectionDefinition): CollectionCode {
  return { schema: definition.schema, chain: createMigrationChain(name, definition) }
}

type IndexDefinition = NonNullable<CollectionDefinition['indexes']>[string]

function indexSpec(name: string, definition: IndexDefinition): IndexSpec {
  // Array.isArray does not narrow readonly arrays.
  const options = Array.isArray(definition) ? { on: definition as readonly unknown[] } : definition
  const {
    on,
    unique = false,
    sparse = false,
  } = options as {
    readonly on: readonly unknown[]
    readonly unique?: boolean
    readonly sparse?: boolean
  }
  assertOptions(`The index ${name}`, options, ['on', 'unique', 'sparse'])
  if (!Array.isArray(on) || on.length === 0) throw new TypeError(`The index ${name} has no fields`)
  const fields = on.map((field: unknown) => indexField(name, field))
  if (fields.filter(({ elements }) => elements === true).length > 1) {
    throw new TypeError(`The index ${name} has more than one field of elements`)
  }
  return { fields, unique, sparse }
}

function indexField(name: string, field: unknown): IndexFieldSpec {
  if (isFieldPath(field)) return fieldSpec(field, 'asc')
  const entries = typeof field === 'object' && field !== null ? Object.entries(field) : []
  const [entry] = entries
  if (entries.length === 1 && entry !== undefined && isFieldPath(entry[0])) {
    const [path, direction] = entry
    if (direction === 'asc' || direction === 'desc') return fieldSpec(path, direction)
  }
  throw new TypeError(`The index ${name} has a field that is neither a name nor { name: 'desc' }`)
}

const ELEMENTS = '[]'

function fieldSpec(path: string, direction: Direction): IndexFieldSpec {
  const list = path.endsWith(ELEMENTS) ? path.slice(0, -ELEMENTS.length) : undefined
  if (list === undefined || !isFieldPath(list)) return { path, direction }
  return { path: list, direction, elements: true }
}
