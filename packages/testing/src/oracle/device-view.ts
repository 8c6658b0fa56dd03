/**
 * What a device shows, commit by commit. Keeps: what is shown was written by somebody; it is only ever replaced by
 * what was made on it, or where the application said so.
 */
import type { RawEntity } from '@entidb/core'
import { type Contents, changedKeys } from './contents.ts'
import type { ServerView } from './server-view.ts'
import { Violation } from './violation.ts'
import { descendsFrom, type WriteGraph, type WriteNode } from './write-graph.ts'

export class DeviceView {
  readonly name: string
  readonly #graph: WriteGraph
  readonly #server: ServerView
  #contents: Contents = new Map()
  /** What is shown where there is nothing. */
  readonly #gone = new Map<string, WriteNode>()
  /** Deletes of this device that are not shown yet. */
  readonly #deletes = new Map<string, WriteNode>()
  #cursor = 0

  constructor(name: string, graph: WriteGraph, server: ServerView) {
    this.name = name
    this.#graph = graph
    this.#server = server
  }

  node(key: string): WriteNode {
    const raw = this.#contents.get(key)
    return raw === undefined
      ? (this.#gone.get(key) ?? this.#graph.absent(key))
      : this.#find(key, raw)
  }

  /** What is there when nothing is: the device may have deleted it, or heard of a delete. */
  gone(key: string): WriteNode {
    const own = this.#deletes.get(key)
    if (own !== undefined) return own
    if (!this.#contents.has(key)) return this.node(key)
    return this.#server.lastDelete(key) ?? this.#graph.absent(key)
  }

  /** This device wrote it; it will be shown soon. */
  wrote(node: WriteNode): void {
    if (node.isGone) this.#deletes.set(node.key, node)
    else this.#deletes.delete(node.key)
  }

  /** Returns what changed, for the log. */
  show(contents: Contents): string[] {
    const keys = changedKeys(this.#contents, contents)
    const changes = keys.map((key) => {
      const before = this.node(key)
      const raw = contents.get(key)
      const after = raw === undefined ? this.gone(key) : this.#find(key, raw)
      if (!this.#mayReplace(before, after)) {
        throw new Violation(`${this.name} shows ${after} where it showed ${before}`)
      }
      this.#note(after)
      return String(after)
    })
    this.#contents = contents
    return changes
  }

  /** The device went back to what it had. */
  restored(contents: Contents): void {
    this.#contents = contents
    this.#gone.clear()
    this.#deletes.clear()
    this.#cursor = 0
  }

  /** The cursor only goes back with an epoch or a re-sync. */
  assertCursor(cursor: number, mayGoBack: boolean): void {
    if (cursor < this.#cursor && !mayGoBack) {
      throw new Violation(`the cursor of ${this.name} went back from ${this.#cursor} to ${cursor}`)
    }
    this.#cursor = cursor
  }

  #find(key: string, raw: RawEntity): WriteNode {
    const node = this.#graph.find(key, raw.bytes)
    if (node === undefined) throw new Violation(`${this.name} shows a ${key} that nobody wrote`)
    return node
  }

  #note(shown: WriteNode): void {
    if (shown.isGone) this.#gone.set(shown.key, shown)
    if (this.#deletes.get(shown.key) === shown) this.#deletes.delete(shown.key)
  }

  #mayReplace(before: WriteNode, after: WriteNode): boolean {
    if (descendsFrom(after, before) || after.shownOver.has(before)) return true
    if (before.excuse !== undefined) return true
    // A delete that the server knows, or one that came from there.
    return before.isGone && this.#server.knowsDelete(before)
  }
}
