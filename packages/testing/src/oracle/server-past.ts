/**
 * What led to the present state of each entity on the server, and how much of that its log has to keep: everything that
 * was not replaced, but for deletes that it says it may have forgotten.
 */
import type { ServedPage, ServedSnapshot, ServerLog } from './server-log.ts'
import { Violation } from './violation.ts'
import { descendsFrom, type WriteNode } from './write-graph.ts'

export interface ServerState {
  readonly node: WriteNode
  readonly revision: number
}

export class ServerPast {
  /** By key, oldest first: the last is the present one. */
  readonly #pasts = new Map<string, readonly ServerState[]>()
  /** Taken from the log, when it was looked at last. */
  readonly #cleared = new Set<ServerState>()
  #purgedThrough = 0

  state(key: string): ServerState | undefined {
    return this.#pasts.get(key)?.at(-1)
  }

  /** The last one under which it had this; undefined: it never did. */
  revisionOf(node: WriteNode): number | undefined {
    return this.#pasts.get(node.key)?.findLast((state) => state.node === node)?.revision
  }

  /** The present one of each entity that it ever had. */
  states(): readonly ServerState[] {
    return [...this.#pasts.values()].flatMap((past) => past.at(-1) ?? [])
  }

  /** All that it ever had, in order. */
  history(): readonly ServerState[] {
    return [...this.#pasts.values()].flat().sort((a, b) => a.revision - b.revision)
  }

  add(state: ServerState): void {
    const { key } = state.node
    this.#pasts.set(key, [...(this.#pasts.get(key) ?? []), state])
  }

  /** Nothing beyond `head` happened. */
  goBackTo(head: number): void {
    this.#purgedThrough = 0
    for (const [key, past] of this.#pasts) {
      this.#pasts.set(
        key,
        past.filter(({ revision }) => revision <= head),
      )
    }
  }

  /** Whether everything that it has to keep is in the log. */
  assertKept({ ops, purgedThrough }: ServerLog): void {
    if (purgedThrough < this.#purgedThrough) {
      throw new Violation(`purgedThrough went back from ${this.#purgedThrough} to ${purgedThrough}`)
    }
    this.#purgedThrough = purgedThrough
    const lastByKey = new Map(ops.map((op) => [`${op.collection}/${op.entityId}`, op]))
    for (const { node, revision } of this.states()) {
      const last = lastByKey.get(node.key)?.entityVersion
      const isForgotten = last === undefined && node.isGone && revision <= purgedThrough
      if (last === revision || isForgotten) continue
      throw new Violation(`the log of the server ends at ${last} for ${node}, which is ${revision}`)
    }
    const revisions = new Set(ops.map((op) => op.entityVersion))
    this.#cleared.clear()
    for (const state of [...this.#pasts.values()].flat()) {
      if (!revisions.has(state.revision)) this.#cleared.add(state)
    }
  }

  /**
   * Whether a page has all it must have: what is newer than its beginning and was not replaced. Answers one of
   * those that are missing because they were.
   */
  assertServed({ sinceCursor, nextCursor, ops, purgedThrough }: ServedPage): WriteNode | undefined {
    const served = new Set(ops.map((op) => op.entityVersion))
    const isMissing = ({ revision }: ServerState): boolean =>
      revision > sinceCursor && revision <= nextCursor && !served.has(revision)
    let replaced: WriteNode | undefined
    for (const past of this.#pasts.values()) {
      for (const state of past.filter(isMissing)) {
        const { node, revision } = state
        if (state !== past.at(-1)) replaced = node
        else if (!node.isGone || revision > purgedThrough) {
          throw new Violation(
            `a page from ${sinceCursor} to ${nextCursor} lacks ${node}, which is ${revision}`,
          )
        }
      }
    }
    return replaced
  }

  /** Whether a page of a snapshot has the present state, or a newer one, of every entity of its range. */
  assertInSnapshot({ after = '', through, head, ops, purgedThrough }: ServedSnapshot): void {
    const served = new Map(ops.map((op) => [`${op.collection}/${op.entityId}`, op.entityVersion]))
    for (const [key, past] of this.#pasts) {
      const isInRange = key > after && (through === undefined || key <= through)
      const state = past.findLast(({ revision }) => revision <= head)
      if (!isInRange || state === undefined) continue
      const { node, revision } = state
      if ((served.get(key) ?? 0) >= revision) continue
      if (node.isGone && revision <= purgedThrough) continue
      throw new Violation(`a page of a snapshot lacks ${node}, which is ${revision}`)
    }
  }

  /** Whether a device with this cursor may still be told of the write, or of what came after it. */
  isToldBeyond(cursor: number, node: WriteNode): boolean {
    return (this.state(node.key)?.revision ?? 0) > cursor
  }

  /** Whether a device with this cursor may lack the write, because the log was cleared of it and what came after. */
  isClearedBeyond(cursor: number, node: WriteNode): boolean {
    const past = this.#pasts.get(node.key) ?? []
    // A device may have sent it as a part of what it made on it.
    const at = past.findIndex((state) => descendsFrom(state.node, node))
    const state = past[at]
    if (state === undefined || !this.#cleared.has(state)) return false
    const next = past.slice(at).find((each) => !this.#cleared.has(each))
    return next !== undefined && next.revision > cursor
  }
}
