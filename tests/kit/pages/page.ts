/** A documentation page: its text, its name, and what is found wrong with it. */

export interface Page {
  /** Path from the root of the repository, with slashes. */
  readonly name: string
  readonly text: string
}

/** Something that a page says and that is not so. */
export interface PageProblem {
  readonly page: string
  /** From 1. */
  readonly line: number
  readonly message: string
}

/** `docs/guide/queries.md:42: message` */
export function formatProblem({ page, line, message }: PageProblem): string {
  return `${page}:${line}: ${message}`
}
