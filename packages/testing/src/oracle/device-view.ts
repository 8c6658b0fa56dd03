/**
 * What a device shows, commit by commit. Keeps: what is shown was written by somebody; it is only ever replaced by
 * what was made on it, or where the application said so.
 */
import type { RawEntity } from '@entidb/core'
import { type Contents, changedKeys, type Revisions } from './contents.ts'
import type { LocalTransaction } from './local-transaction.ts'
import type { ServerView } from './server-view.ts'
import type { Shapes } from './shapes.ts'
import { Violation } from './violation.ts'
import {
  ancestorsOf,
  contentsOf,
  descendsFrom,
  transactionOf,
  type WriteGraph,
  type WriteNode,
  wasWrittenBy,
} from './write-graph.ts'

/** Deletes of which the files of a device know, by key. */
export interface RememberedDeletes {
  /** The one that is shown, or will be. */
  readonly absences: ReadonlyMap<string, WriteNode>
  /** The last one that the server told of. */
  readonly toldDeletes: ReadonlyMap<string, WriteNode>
}

export class DeviceView {
  readonly name: string
  readonly #graph: WriteGraph
  readonly #server: ServerView
  readonly #shapes: Shapes
  /** Of the application, from 1. */
  version = 1
  #contents: Contents = new Map()
  /** What is shown where there is nothing. */
  readonly #gone = new Map<string, WriteNode>()
  /** Deletes that it was told of, by whose revision: also of what it never showed. */
  readonly #toldDeletes = new Map<string, WriteNode>()
  #revisions: Revisions = new Map()
  /** Deletes of this device that are not shown yet, in order. */
  readonly #deletes = new Map<string, readonly WriteNode[]>()
  /** Edits that the application gave up: the server's state takes their place, whichever that is. */
  readonly #givenUp = new Set<WriteNode>()
  /** Writes that are in what is shown or was. */
  readonly #included = new Set<WriteNode>()
  /** Of which a part is shown: the other, or what came after it, is still to come. */
  readonly #inParts = new Set<LocalTransaction>()
  #wasRestored = false
  /** What the files had that it went on with: edits among it may be offered again, though the server has them. */
  readonly #copied = new Set<WriteNode>()
  #cursor = 0
  /** Pages of a snapshot had states up to here: of what was written together, a part may be shown until then. */
  #snapshotThrough = 0

  constructor(name: string, graph: WriteGraph, server: ServerView, shapes: Shapes) {
    this.name = name
    this.#graph = graph
    this.#server = server
    this.#shapes = shapes
  }

  /** What its application reads where this is stored. */
  reads({ key, written }: WriteNode): Uint8Array | null {
    return written === null ? null : this.#shapes.read(this.version, key, written)
  }

  node(key: string): WriteNode {
    const raw = this.#contents.get(key)
    return raw === undefined
      ? (this.#gone.get(key) ?? this.#graph.absent(key))
      : this.#find(key, raw)
  }

  /** What a transaction finds that finds nothing: the device may have deleted it, or heard of a delete. */
  gone(key: string): WriteNode {
    return this.#deletes.get(key)?.at(-1) ?? this.#goneElsewhere(key)
  }

  /** The last delete of it that the device was told of, whether it showed what was deleted or not. */
  toldDelete(key: string): WriteNode | undefined {
    return this.#toldDeletes.get(key)
  }

  /** This device wrote it; it will be shown soon. */
  wrote(node: WriteNode): void {
    if (node.isGone) this.#deletes.set(node.key, [...(this.#deletes.get(node.key) ?? []), node])
  }

  /** The application gave up its edit. */
  givesUp(node: WriteNode): void {
    this.#givenUp.add(node)
  }

  /** It may be shown pages of a snapshot, read while this was the server's head. */
  gotSnapshotPage(head: number): void {
    this.#snapshotThrough = Math.max(this.#snapshotThrough, head)
  }

  /** A commit; `revisions`: what it knows then. Returns what changed, for the log. */
  show(contents: Contents, revisions: Revisions): string[] {
    const told = this.#learnDeletes(revisions)
    const keys = changedKeys(this.#contents, contents)
    const touched = new Set<LocalTransaction>()
    const changes = keys.map((key) => {
      const before = this.node(key)
      const raw = contents.get(key)
      const after = raw === undefined ? this.#goneAfter(before) : this.#find(key, raw)
      if (!this.#mayReplace(before, after)) {
        throw new Violation(`${this.name} shows ${after} where it showed ${before}`)
      }
      this.#givenUp.delete(before)
      this.#note(after, touched)
      return String(after)
    })
    this.#contents = contents
    for (const each of told) this.#meet(each)
    for (const transaction of touched) this.#assertWhole(transaction)
    return changes
  }

  /** Returns those that it was told of since the last time. */
  #learnDeletes(revisions: Revisions): readonly WriteNode[] {
    const told: WriteNode[] = []
    for (const [key, revision] of revisions) {
      // What it knew already means what it meant then: a restored server may give a number again.
      if (this.#revisions.get(key) === revision) continue
      const node = this.#server.ofRevision(revision)
      if (node?.key === key && node.isGone) told.push(node)
    }
    for (const node of told) this.#toldDeletes.set(node.key, node)
    this.#revisions = revisions
    return told
  }

  /**
   * What that does to its own edit: one that was made where nothing was stands on the delete from now on, for nothing
   * competed; a delete and it are the same.
   */
  #meet(told: WriteNode): void {
    const shown = this.node(told.key)
    if (shown.isGone) {
      if (wasWrittenBy(shown, this.name)) this.#server.hasSame(shown)
    } else if (!descendsFrom(told, shown) && this.#server.wasMadeOnNothing(shown, [this.name])) {
      shown.parents.add(told)
    }
  }

  /** Which deletes a copy of its files has. */
  rememberedDeletes(): RememberedDeletes {
    const absences = new Map(this.#gone)
    for (const [key, deletes] of this.#deletes) {
      const last = deletes.at(-1)
      if (last !== undefined) absences.set(key, last)
    }
    return { absences, toldDeletes: new Map(this.#toldDeletes) }
  }

  /** All that is shown, and what that was made on. */
  held(): ReadonlySet<WriteNode> {
    const shown = [...this.#contents.keys(), ...this.#gone.keys()].map((key) => this.node(key))
    return new Set(shown.flatMap((node) => [...ancestorsOf(node)]))
  }

  /** The device went back to what a copy has. */
  restored(contents: Contents, { absences, toldDeletes }: RememberedDeletes): void {
    this.#contents = contents
    this.#gone.clear()
    for (const [key, node] of absences) this.#gone.set(key, node)
    this.#toldDeletes.clear()
    for (const [key, node] of toldDeletes) this.#toldDeletes.set(key, node)
    this.#deletes.clear()
    this.#included.clear()
    this.#copied.clear()
    this.#inParts.clear()
    for (const [key, raw] of contents) {
      const shown = this.#find(key, raw)
      this.#copied.add(shown)
      for (const node of contentsOf(shown)) this.#included.add(node)
    }
    this.#wasRestored = true
    this.#cursor = 0
  }

  /** How far it had pulled when it was looked at last. */
  get cursor(): number {
    return this.#cursor
  }

  /** The cursor only goes back with an epoch or a re-sync. */
  assertCursor(cursor: number, mayGoBack: boolean): void {
    if (cursor < this.#cursor && !mayGoBack) {
      throw new Violation(`the cursor of ${this.name} went back from ${this.#cursor} to ${cursor}`)
    }
    this.#cursor = cursor
    for (const transaction of [...this.#inParts]) this.#assertWhole(transaction)
  }

  #find(key: string, raw: RawEntity): WriteNode {
    const node = this.#graph.find(key, raw)
    if (node === undefined) throw new Violation(`${this.name} shows a ${key} that nobody wrote`)
    return node
  }

  #goneAfter(before: WriteNode): WriteNode {
    // A crash may have taken an earlier one.
    const own = this.#deletes
      .get(before.key)
      ?.findLast((each) => descendsFrom(each, before) || this.#isShownOver(each, before))
    return own ?? this.#goneElsewhere(before.key)
  }

  #goneElsewhere(key: string): WriteNode {
    if (!this.#contents.has(key)) return this.node(key)
    const told = this.#revisions.has(key) ? this.#toldDeletes.get(key) : undefined
    return told ?? this.#server.lastDelete(key) ?? this.#graph.absent(key)
  }

  /** The deletes that led to what is shown are not to be waited for any more. */
  #note(shown: WriteNode, touched: Set<LocalTransaction>): void {
    for (const each of contentsOf(shown)) {
      if (this.#included.has(each)) continue
      this.#included.add(each)
      const transaction = transactionOf(each)
      // What this device merged is its own edit, and shows what it merged.
      const isWhole = transaction === undefined || transaction.device === this.name
      if (!isWhole && shown.accepted) touched.add(transaction)
    }
    if (shown.isGone) this.#gone.set(shown.key, shown)
    const deletes = this.#deletes.get(shown.key) ?? []
    // Those before the one that is shown were taken by a crash.
    const later = deletes.slice(deletes.indexOf(shown) + 1)
    const waiting = later.filter((each) => !descendsFrom(shown, each))
    if (waiting.length === 0) this.#deletes.delete(shown.key)
    else this.#deletes.set(shown.key, waiting)
  }

  /** What another device wrote together is shown together, where no edit of this device is in its way. */
  #assertWhole(transaction: LocalTransaction): void {
    this.#inParts.delete(transaction)
    const { isAtomic, device, name, writes } = transaction
    if (!isAtomic) return
    const missing = writes.find((node) => {
      const shown = this.node(node.key)
      if (descendsFrom(shown, node) || node.excuse !== undefined) return false
      if (this.#server.wasDeletedAfter(node)) return false
      if (this.#server.hasLost(shown)) return false
      // After a restore nobody knows which delete it is that is shown.
      if (shown.isGone && this.#wasRestored) return false
      if (this.#copied.has(shown)) return false
      // An own delete of what was never shown.
      if (shown.isGone && this.#deletes.has(node.key)) return false
      // An own edit that is not sent, of the same content as one of another device, or a merged one, that was accepted.
      if (shown.isOfSeveral && wasWrittenBy(shown, this.name)) return false
      if (this.#isTakenForNew(shown) || this.#isTakenForLost(shown)) return false
      return shown.accepted || shown === this.#graph.absent(node.key)
    })
    if (missing === undefined) return
    if (this.#isToCome(missing)) {
      this.#inParts.add(transaction)
      return
    }
    throw new Violation(
      `${this.name} shows a part of '${name}' of ${device}: ${missing} is missing`,
    )
  }

  /**
   * An own edit that was accepted, of which the device does not know: a copy of its files sent it, and either the device goes
   * on under another deviceId since, or the server does not know any more. It forgets what a device sent when that sends
   * something newer, and the copy did under the same deviceId.
   */
  #isTakenForNew(shown: WriteNode): boolean {
    const revision = this.#server.past.revisionOf(shown)
    if (revision === undefined || !wasWrittenBy(shown, this.name)) return false
    const known = this.#revisions.get(shown.key) ?? 0
    return known < revision && this.#server.hasTwin(this.name)
  }

  /**
   * What a restored server had lost, and has again from another device: this one still offers it, until it is told
   * of that. It never is, when the log was cleared of it because of what was made on it since: then that meets an edit.
   */
  #isTakenForLost(shown: WriteNode): boolean {
    const revision = this.#server.past.revisionOf(shown)
    if (revision === undefined || !this.#server.wasLost(shown)) return false
    return (this.#revisions.get(shown.key) ?? 0) < revision
  }

  #isToCome(missing: WriteNode): boolean {
    const { past } = this.#server
    if (past.isClearedBeyond(this.#cursor, missing)) return true
    return this.#cursor < this.#snapshotThrough && past.isToldBeyond(this.#cursor, missing)
  }

  #mayReplace(before: WriteNode, after: WriteNode): boolean {
    if (descendsFrom(after, before) || this.#isShownOver(after, before)) return true
    if (before.excuse !== undefined || this.#givenUp.has(before)) return true
    // A delete that the server knows, or one that came from there.
    return before.isGone && this.#server.knowsDelete(before)
  }

  /** It is a late save over it, or what this device made of one before that was looked at. */
  #isShownOver(after: WriteNode, before: WriteNode): boolean {
    const unseen = new Set([after])
    for (const each of unseen) {
      if (each.shownOver.has(before)) return true
      for (const parent of each.parents) {
        if (wasWrittenBy(parent, this.name) && !this.#included.has(parent)) unseen.add(parent)
      }
    }
    return false
  }
}
