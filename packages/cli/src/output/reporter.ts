/**
 * Port: what a command tells its user while it runs. There are two of them: text for people (bars when
 * there is a terminal) and JSON lines for programs. A command says everything to both; each takes what
 * it needs.
 */
export interface Reporter {
  /** One line for people. */
  note(text: string): void
  /** Something the user should know although all went on. Both readers get it. */
  warn(text: string): void
  /** For people. Cells are printed as they are; numbers go to the right. */
  table(table: ReportTable): void
  /** For programs: one JSON object `{ event, ...facts }`. */
  fact(event: string, facts: Readonly<Record<string, unknown>>): void
  /** Work that takes a while. `end` it before saying anything else. Numbers are counts if not formatted. */
  progress(title: string, format?: NumberFormat): ProgressReport
}

export type NumberFormat = (value: number) => string

export interface ReportTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

export interface ProgressReport {
  /** `detail` is shown beside it, such as a rate. */
  update(done: number, total: number, detail?: string): void
  end(): void
}
