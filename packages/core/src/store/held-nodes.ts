/** Counts the nodes that must stay in memory: those of commits that no checkpoint has written yet. */
import type { NamedTable } from './catalog.ts'
import type { NodeRef } from './node.ts'
import type { PageFile } from './page-file.ts'

export class HeldNodes {
  readonly #pages: PageFile
  readonly #nodeBytes: number
  /** Nodes that are in memory alone. */
  #unwritten: number
  /** Nodes that are in memory only because a checkpoint under way needs them. */
  #kept = 0

  constructor(pages: PageFile, nodeBytes: number, unwritten: number) {
    this.#pages = pages
    this.#nodeBytes = nodeBytes
    this.#unwritten = unwritten
  }

  get unwritten(): number {
    return this.#unwritten
  }

  /** What they take in memory, about. */
  get bytes(): number {
    return (this.#unwritten + this.#kept) * this.#nodeBytes
  }

  /** A commit: `added` is negative when it removed more than it made. */
  noteCommit(added: number, kept: number): void {
    this.#kept += kept
    this.#setUnwritten(this.#unwritten + added)
  }

  /** After a checkpoint: of the nodes that were replaced meanwhile, some were written and some were not. */
  recount(tables: readonly NamedTable[]): void {
    this.#setUnwritten(tables.reduce((sum, [, { root }]) => sum + countUnwritten(root), 0))
  }

  /** The checkpoint has ended. */
  forgetKept(): void {
    this.#kept = 0
  }

  #setUnwritten(nodes: number): void {
    this.#unwritten = nodes
    this.#pages.noteUnwritten(nodes * this.#nodeBytes)
  }
}

/** What such a node lies under is in memory alone too. */
function countUnwritten(root: NodeRef | undefined): number {
  if (root?.node === undefined || root.extent !== undefined) return 0
  let count = 1
  if (root.node.kind === 'branch') {
    for (const child of root.node.children) count += countUnwritten(child)
  }
  return count
}
