/** Rules as data: what has to hold, where the protocol's page says so, and how it is seen from outside. */
import type { Bench } from './bench.ts'

export interface Rule {
  /** Short and stable, such as `push/floor`: for `--only` and for programs. */
  readonly id: string
  /** Of docs/protocol.md. */
  readonly section: string
  /** A sentence: what holds of a server that speaks the protocol. */
  readonly holds: string
  /** Without these the rule is skipped. */
  readonly needs?: readonly Need[]
  /** Throws `RuleFailure` when it does not hold, `RuleSkipped` when it cannot be told. */
  readonly check: (bench: Bench) => Promise<void>
}

/** Extensions at all, capabilities of the server, and what the user may give besides a token. */
export type Need = 'extensions' | 'sse' | 'groups' | 'rejections' | 'digest' | 'collections' | Given

export type Given = 'readerToken' | 'otherDatabase'
