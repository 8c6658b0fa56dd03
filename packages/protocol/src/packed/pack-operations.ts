/** Packs operations that are encoded already, in one pass. */
import { beginColumns, takeColumns, writeContent } from './columns.ts'
import type { PackedOperations } from './packed-operations.ts'
import { type PageKind, PageKinds } from './page-kinds.ts'

/** `operations`: as `encodeSyncOperation` writes them, by revision; anything else is a `TypeError`. */
export function packOperations(operations: readonly Uint8Array[]): PackedOperations {
  const kinds = new PageKinds()
  beginColumns()
  let kind: PageKind | undefined
  let revision = 0
  for (const operation of operations) {
    let content = kind?.contentOf(operation)
    if (kind === undefined || content === undefined) {
      kind = kinds.kindOf(operation)
      content = kind.contentOf(operation)
    }
    if (content === undefined || content.revision <= revision) {
      throw new TypeError('Not the operations of a page')
    }
    writeContent(content, kind, revision)
    revision = content.revision
  }
  return { kinds: kinds.all, ...takeColumns() }
}
