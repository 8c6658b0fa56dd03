/** What `entidb migrate` shows people, and programs. */
import { inspect } from 'node:util'
import type { CollectionPlan, MigrationPlan } from '@entidb/core'
import { renderTable } from '../output/text-table.ts'
import { formatCount } from '../output/units.ts'

export interface Migration extends MigrationPlan {
  readonly directory: string
  /** The database was opened with the definitions, and is migrated. */
  readonly migrated: boolean
}

/** More than anyone reads; `--json` has a hundred of each collection. */
const FAILURES_SHOWN = 20

/** Entities as text: not all of their values have a form in JSON. */
export function migrationFacts({ collections, ...migration }: Migration): object {
  const withText = collections.map(({ samples, ...plan }) => ({
    ...plan,
    samples: samples.map(({ before, after, ...sample }) => ({
      ...sample,
      before: inLine(before),
      after: inLine(after),
    })),
  }))
  return { ...migration, collections: withText }
}

export function migrationText(migration: Migration): string {
  const { directory, collections } = migration
  const versions = renderTable(
    {
      head: ['collection', 'stored', 'code', 'entities', 'older', 'stored anew', 'fail'],
      rows: collections.map((plan) => [
        plan.collection,
        plan.storedVersion === null ? 'new' : String(plan.storedVersion),
        String(plan.codeVersion),
        plan.entities,
        plan.older,
        plan.rewritten,
        plan.failureCount,
      ]),
    },
    false,
  )
  const parts = [directory, versions, ...samplesText(collections), ...failuresText(collections)]
  return [...parts, outcome(migration)].join('\n')
}

function samplesText(collections: readonly CollectionPlan[]): string[] {
  return collections.flatMap(({ collection, codeVersion, samples }) =>
    samples.flatMap(({ id, from, before, after }) => [
      `${collection}/${id}`,
      `  ${from}: ${inLine(before)}`,
      `  ${codeVersion}: ${inLine(after)}`,
    ]),
  )
}

function failuresText(collections: readonly CollectionPlan[]): string[] {
  const failures = collections.flatMap((plan) => plan.failures)
  if (failures.length === 0) return []
  const shown = failures.slice(0, FAILURES_SHOWN)
  const total = collections.reduce((sum, { failureCount }) => sum + failureCount, 0)
  const rest = total - shown.length
  return [
    renderTable(
      {
        head: ['fails', 'written', 'why'],
        rows: shown.map(({ id, isLocal, message }) => [
          id,
          isLocal ? 'here' : 'elsewhere',
          message,
        ]),
      },
      false,
    ),
    ...(rest > 0
      ? [`... and ${formatCount(rest)} more; --json has up to 100 of a collection`]
      : []),
  ]
}

function outcome({ collections, isRefused, migrated }: Migration): string {
  const newer = collections.filter(({ isNewer }) => isNewer).map(({ collection }) => collection)
  if (newer.length > 0) {
    return `The data is newer than these definitions (${newer.join(', ')}): nothing was changed.`
  }
  if (isRefused) return 'Opening would fail: nothing was changed.'
  return migrated ? 'Migrated.' : 'A dry run: nothing was changed.'
}

function inLine(value: unknown): string {
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 6, maxStringLength: 200 })
}
