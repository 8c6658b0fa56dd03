/** What came of an export, as people read it. */
import { formatBytes, formatCount } from '../../output/units.ts'
import type { ExportReport } from './export-collection.ts'

export interface ExportedCollection extends ExportReport {
  readonly collection: string
  /** Of the collection as it was last defined. */
  readonly schemaVersion: number
}

export function exportText(
  { target }: { readonly target: string },
  collections: readonly ExportedCollection[],
): string {
  const place = target === '-' ? 'stdout' : target
  if (collections.length === 0) return `There are no collections; ${place} is empty`
  return collections
    .flatMap((exported) => {
      const { collection, entities, bytes } = exported
      return [
        `${formatCount(entities)} entities of ${collection} exported to ${place}, ${formatBytes(bytes)}`,
        ...versionText(exported),
      ]
    })
    .join('\n')
}

/** Nobody but the application can bring entities of an older shape up to date. */
function versionText({ schemaVersion, schemaVersions }: ExportedCollection): readonly string[] {
  const others = Object.entries(schemaVersions).filter(
    ([version]) => Number(version) !== schemaVersion,
  )
  return others.map(
    ([version, entities]) =>
      `! ${formatCount(entities)} of them are of version ${version} of its shape, and it is at ${schemaVersion}; they are exported as they are`,
  )
}
