/**
 * What the server has, followed commit by commit. Keeps: cursors are dense within an epoch and never go back; a
 * revision names one state for ever; nothing takes the place of what it was not made on; a local transaction is
 * accepted as a whole; what is cleared away is superseded, or a delete that the server says it may have forgotten.
 */

import type { Entity } from '@entidb/core'
import { decodeEntity } from '@entidb/core/cbor'
import { EPOCH_STRIDE, type SyncOperation } from '@entidb/protocol'
import type { ServerEntities } from '../application/application.ts'
import type { LocalTransaction } from './local-transaction.ts'
import type { ServerLog } from './server-log.ts'
import { ServerPast, type ServerState } from './server-past.ts'
import { Violation } from './violation.ts'
import {
  contentsOf,
  descendsFrom,
  transactionOf,
  type WriteGraph,
  type WriteNode,
  wasMadeOnNothing,
} from './write-graph.ts'

export class ServerView {
  readonly #graph: WriteGraph
  readonly past: ServerPast = new ServerPast()
  /** By revision, of all epochs: what a restored server lost included. */
  readonly #byRevision = new Map<number, WriteNode>()
  /** Deletes that never came to it: their devices were told of another one first. */
  readonly #met = new Set<WriteNode>()
  readonly #lastDelete = new Map<string, WriteNode>()
  /** The tick at which something took the place of nothing. */
  readonly #goneUntil = new Map<string, number>()
  /** All revisions, those that a restore took included, in the order in which they were given. */
  readonly #accepted: number[] = []
  #wasRestored = false
  readonly #lost = new Set<WriteNode>()
  /** Those that were offered again, and accepted, included. */
  readonly #everLost = new Set<WriteNode>()
  /** By deviceId: a device may change it, and a copy of its files has the same. */
  readonly #devices = new Map<string, Set<string>>()
  readonly #copied = new Set<string>()
  /** Writes that are in what it has or had. */
  readonly #included = new Set<WriteNode>()
  #head = 0

  constructor(graph: WriteGraph) {
    this.#graph = graph
  }

  /** The device pushes under this deviceId. */
  knowDevice(device: string, deviceId: string): void {
    const devices = this.#devices.get(deviceId) ?? new Set()
    this.#devices.set(deviceId, devices.add(device))
  }

  /** Whether there are, or were, other files of the device, or another one pushed under a deviceId under which it did. */
  hasTwin(device: string): boolean {
    if (this.#copied.has(device)) return true
    return [...this.#devices.values()].some((devices) => devices.has(device) && devices.size > 1)
  }

  /** There are, or were, other files of the device. */
  wasCopied(device: string): void {
    this.#copied.add(device)
  }

  #isCopied(devices: Iterable<string>): boolean {
    return [...devices].some((device) => this.#copied.has(device))
  }

  get head(): number {
    return this.#head
  }

  node(key: string): WriteNode {
    return this.past.state(key)?.node ?? this.#graph.absent(key)
  }

  /** It had it, and a restore took it: devices that have it offer it again. */
  hasLost(node: WriteNode): boolean {
    return this.#lost.has(node)
  }

  /** Some restore took it, and it may have it again. */
  wasLost(node: WriteNode): boolean {
    return this.#everLost.has(node)
  }

  /** The state that the revision names. */
  ofRevision(revision: number): WriteNode | undefined {
    return this.#byRevision.get(revision)
  }

  /** The last delete it saw. */
  lastDelete(key: string): WriteNode | undefined {
    return this.#lastDelete.get(key)
  }

  /** How much of what was accepted lies up to the cursor. */
  tickAt(cursor: number): number {
    const beyond = this.#accepted.findIndex((revision) => revision > cursor)
    return beyond < 0 ? this.#accepted.length : beyond
  }

  /** The device that made the delete was told of one of the server's: nothing is left of it to push. */
  hasSame(node: WriteNode): void {
    this.#met.add(node)
  }

  /** It has the delete or one of the same, or had nothing to delete at some time since: then it changed nothing. */
  knowsDelete(node: WriteNode): boolean {
    const { key, accepted, serverTick } = node
    if (accepted || this.#met.has(node) || this.node(key).isGone) return true
    if ((this.#goneUntil.get(key) ?? -1) >= serverTick) return true
    const parents = [...node.parents]
    return this.#graph
      .deletesOf(key)
      .some((each) => each.accepted && parents.every((parent) => descendsFrom(each, parent)))
  }

  /** It has the write, or what was made on it, or knows that it was deleted. */
  hasReached(node: WriteNode): boolean {
    if (node.accepted || descendsFrom(this.node(node.key), node)) return true
    return this.wasDeletedAfter(node)
  }

  /** It was deleted again, maybe before the server heard of it: where it has nothing, a delete changes nothing. */
  wasDeletedAfter(node: WriteNode): boolean {
    const deletes = this.#graph.deletesOf(node.key).filter((each) => descendsFrom(each, node))
    return deletes.some((each) => this.knowsDelete(each))
  }

  /** Whether the edit, which one of these devices has, was made where nothing was, as far as the server does not have it. */
  wasMadeOnNothing(node: WriteNode, devices: Iterable<string>): boolean {
    const own = new Set(devices)
    const isOfCopy = this.#isCopied(own)
    return wasMadeOnNothing(node, (each) => {
      const writers = each.transactions.map(({ device }) => device)
      // Files that were copied may hold as new what the server has from their twin, and has cleared away.
      if (isOfCopy && this.#isCopied(writers)) return false
      // So does a device that wrote just what another one did: the server may have theirs.
      if (writers.some((name) => own.has(name)) && writers.some((name) => !own.has(name)))
        return false
      return each.accepted && !this.#lost.has(each)
    })
  }

  /** Live entities by key. */
  live(): ReadonlyMap<string, ServerState> {
    const live = this.past.states().filter(({ node }) => !node.isGone)
    return new Map(live.map((state) => [state.node.key, state]))
  }

  entities(): ServerEntities {
    const entities = new Map<string, Entity[]>()
    for (const { node } of this.past.states()) {
      const [collection = ''] = node.key.split('/')
      const list = entities.get(collection) ?? []
      entities.set(collection, list)
      if (node.bytes !== null) list.push(decodeEntity(node.bytes) as Entity) // what a device stored
    }
    return entities
  }

  /** Everything that became visible up to `head`, in order. */
  advance(ops: readonly SyncOperation[], head: number): void {
    if (head < this.#head) throw new Violation(`the head went back from ${this.#head} to ${head}`)
    const touched = new Set<LocalTransaction>()
    for (const op of ops) this.#accept(op, touched)
    assertRaised(this.#head, head)
    this.#head = head
    for (const transaction of touched) this.#assertWhole(transaction)
  }

  /**
   * The server went back to what it had before, and has this now. When the epoch of the copy is not the one
   * that was lost, the next one begins where that began, and gives its revisions again (`docs/simulator.md`).
   */
  restored(log: ServerLog): void {
    const { ops, head } = log
    this.#wasRestored = true
    this.#included.clear()
    this.past.goBackTo(head)
    for (const op of ops) {
      // The copy may have what was not durable yet, and was lost with the power.
      const node = this.#nodeOf(op, undefined)
      const revision = op.entityVersion
      if ((this.past.state(node.key)?.revision ?? 0) < revision) this.past.add({ node, revision })
    }
    this.assertKept(log)
    for (const { node } of this.past.states()) this.#include(node, new Set())
    for (const node of this.#byRevision.values()) {
      if (this.#included.has(node)) continue
      this.#lost.add(node)
      this.#everLost.add(node)
    }
    if (strideOf(head) < strideOf(this.#head)) {
      for (const revision of this.#byRevision.keys()) {
        if (strideOf(revision) > strideOf(head)) this.#byRevision.delete(revision)
      }
    }
    this.#head = head
  }

  /** Whether everything that it has to keep is in its log, and nothing else. */
  assertKept(log: ServerLog): void {
    this.past.assertKept(log)
    for (const op of log.ops) this.#nodeOf(op, undefined)
  }

  #accept(op: SyncOperation, touched: Set<LocalTransaction>): void {
    const revision = op.entityVersion
    assertNext(this.#head, revision)
    this.#head = revision
    const before = this.node(`${op.collection}/${op.entityId}`)
    const node = this.#nodeOf(op, before)
    // Where nothing was and nothing is, nothing competes.
    const devices = this.#devices.get(op.deviceId) ?? []
    if (before.isGone && this.wasMadeOnNothing(node, devices)) node.parents.add(before)
    if (!descendsFrom(node, before)) {
      throw new Violation(
        `${node} of ${op.deviceId} took the place of ${before} at ${revision}, and was not made on it`,
      )
    }
    if (before.isGone) this.#goneUntil.set(node.key, this.#accepted.length)
    this.#accepted.push(revision)
    node.accepted = true
    this.#lost.delete(node)
    this.past.add({ node, revision })
    this.#include(node, touched)
  }

  /** Of the revision, and the only one. */
  #nodeOf(op: SyncOperation, before: WriteNode | undefined): WriteNode {
    const key = `${op.collection}/${op.entityId}`
    const known = this.#byRevision.get(op.entityVersion)
    const node =
      op.entityCbor === null
        ? (known ?? this.#deleteOf(op, before))
        : this.#graph.find(key, {
            bytes: op.entityCbor,
            schemaVersion: op.schemaVersion ?? 1,
          })
    if (node === undefined) {
      throw new Violation(`nobody wrote what the server has of ${key} at ${op.entityVersion}`)
    }
    if (known !== undefined && known !== node) {
      throw new Violation(`revision ${op.entityVersion} names ${known} and ${node}`)
    }
    this.#byRevision.set(op.entityVersion, node)
    if (node.isGone) this.#lastDelete.set(key, node)
    return node
  }

  /**
   * The delete of what was there that has the operation's opId. Else the device's last one, if it deleted that: what was
   * decided about has another opId, and what a server lost, any device offers again; what is in files that were copied,
   * whoever has those.
   */
  #deleteOf(op: SyncOperation, before: WriteNode | undefined): WriteNode | undefined {
    const devices = this.#devices.get(op.deviceId)
    const deletes = this.#graph
      .deletesOf(`${op.collection}/${op.entityId}`)
      .filter(
        (each) =>
          (devices?.has(each.device) === true ||
            this.#wasRestored ||
            this.#isCopied([each.device])) &&
          (before === undefined || descendsFrom(each, before)),
      )
    return deletes.find((each) => this.#hasOpId(each, op)) ?? deletes.at(-1)
  }

  /** Files that were copied count from elsewhere. */
  #hasOpId({ device, transactions }: WriteNode, { deviceId, opId }: SyncOperation): boolean {
    if (this.#devices.get(deviceId)?.has(device) !== true || this.#isCopied([device])) return false
    return transactions.some(({ opIds }) => opIds.includes(opId))
  }

  #include(node: WriteNode, touched: Set<LocalTransaction>): void {
    for (const each of contentsOf(node)) {
      if (this.#included.has(each)) continue
      this.#included.add(each)
      const transaction = transactionOf(each)
      if (transaction !== undefined) touched.add(transaction)
    }
  }

  #assertWhole({ isAtomic, device, name, writes }: LocalTransaction): void {
    if (!isAtomic) return
    const missing = writes.find((node) => node.excuse === undefined && !this.hasReached(node))
    if (missing === undefined) return
    throw new Violation(`only a part of '${name}' of ${device} is accepted: ${missing} is missing`)
  }
}

/** Within an epoch the next; a new one begins at a multiple of the stride. */
function assertNext(head: number, revision: number): void {
  if (revision === head + 1) return
  if (revision > head && revision % EPOCH_STRIDE === 1) return
  throw new Violation(`revision ${revision} follows ${head}`)
}

function strideOf(revision: number): number {
  return Math.floor(revision / EPOCH_STRIDE)
}

function assertRaised(before: number, head: number): void {
  if (head === before || head % EPOCH_STRIDE === 0) return
  throw new Violation(`the head is ${head}, and the last revision ${before}`)
}
