/**
 * Knows what every part of the system may show, from what the applications wrote and decided. It is told of writes,
 * decisions, commits of devices and of the server, and throws a `Violation` at the first that must not be.
 */
import { encodeEntity } from '@entidb/core/cbor'
import type { LocalSide, RemoteSide, Resolution, SyncedEntity } from '@entidb/sync'
import type { Tally } from '../kernel/tally.ts'
import { type Contents, changedKeys, isSameBytes, isSameWritten } from './contents.ts'
import { DeviceView, type RememberedDeletes } from './device-view.ts'
import type { LocalTransaction } from './local-transaction.ts'
import type { ServerLog } from './server-log.ts'
import { ServerView } from './server-view.ts'
import type { Shapes, Written } from './shapes.ts'
import { Violation } from './violation.ts'
import { ancestorsOf, descendsFrom, WriteGraph, type WriteNode, wasMadeOn } from './write-graph.ts'

/** What a transaction of an application did. */
export interface WrittenTransaction {
  readonly device: string
  readonly name: string
  readonly before: Contents
  readonly after: Contents
  /** By key, where the content before does not tell. */
  readonly madeOn: ReadonlyMap<string, MadeOn>
  /** Keys of all that was put, also where that changed nothing. */
  readonly puts: ReadonlySet<string>
}

/** What a write was made on. */
export interface MadeOn {
  /** What a late save named. */
  readonly late?: LateBase
  /** The revision of the delete that the device knows, where nothing was. */
  readonly revision?: number
}

/** An entity as a form showed it. */
export interface LateBase {
  /** Undefined: that there was none. */
  readonly entity: object | undefined
  /** Where it is known: it tells apart what reads the same. */
  readonly stored: Written | undefined
  /** A plain version says nothing of the shape that the edit was made in. */
  readonly isPlainVersion?: boolean
}

export class Oracle {
  readonly #tally: Tally
  readonly #shapes: Shapes
  readonly graph: WriteGraph = new WriteGraph()
  readonly server: ServerView = new ServerView(this.graph)
  readonly transactions: LocalTransaction[] = []
  readonly #devices = new Map<string, DeviceView>()
  readonly #copiedDevices = new Set<string>()
  /** The server lost something: from then on a transaction may come back in parts. */
  serverWasRestored = false

  constructor(tally: Tally, shapes: Shapes) {
    this.#tally = tally
    this.#shapes = shapes
  }

  device(name: string): DeviceView {
    const known = this.#devices.get(name)
    if (known !== undefined) return known
    const view = new DeviceView(name, this.graph, this.server, this.#shapes)
    this.#devices.set(name, view)
    return view
  }

  /** Before it commits. It is acknowledged when the caller says so. */
  wrote({ device, name, before, after, madeOn, puts }: WrittenTransaction): LocalTransaction {
    const view = this.device(device)
    const writes = changedKeys(before, after).map((key) => {
      const [old, present] = [before.get(key), after.get(key)]
      const shown = old === undefined ? view.gone(key) : this.graph.value(key, old)
      const node =
        present === undefined
          ? this.graph.delete(key, this.server.tickAt(view.cursor), device)
          : this.graph.value(key, present)
      const { late } = madeOn.get(key) ?? {}
      const form = late?.isPlainVersion ? undefined : late?.stored
      this.#assertVersion(view, node, form ?? old)
      this.#relate(view, node, shown, madeOn.get(key))
      view.wrote(node)
      return node
    })
    const transaction: LocalTransaction = {
      device,
      name,
      writes,
      opIds: [],
      acknowledged: false,
      isAtomic: true,
    }
    for (const node of writes) node.transactions.push(transaction)
    for (const key of puts) {
      const raw = after.get(key)
      // The same once more is an edit as well, and may compete with what was made on the first.
      if (raw !== undefined && isSameWritten(before.get(key), raw)) {
        this.graph.value(key, raw).transactions.push(transaction)
      }
    }
    this.transactions.push(transaction)
    return transaction
  }

  /** Whatever a device writes is of its own version, or still of the newer one that it edited: `over`, or a form on that. */
  #assertVersion(view: DeviceView, { key, written }: WriteNode, over: Written | undefined): void {
    if (written === null) return
    const expected = this.#shapes.versionOfEdit(view.version, key, written.bytes, over)
    if (written.schemaVersion !== expected) {
      throw new Violation(
        `${view.name} writes ${key} as version ${written.schemaVersion} instead of ${expected}`,
      )
    }
    if (over !== undefined && over.schemaVersion > written.schemaVersion) {
      this.#tally.count('newerMadeAnew')
    } else if (expected > this.#shapes.versionOfEdit(view.version, key, written.bytes, undefined)) {
      this.#tally.count('newerEdited')
    }
  }

  #relate(view: DeviceView, node: WriteNode, shown: WriteNode, madeOn: MadeOn | undefined): void {
    const { late, revision } = madeOn ?? {}
    if (late === undefined) {
      node.parents.add(shown)
      // It may know of a delete without ever having shown what that deleted.
      const told = shown.isGone ? view.toldDelete(node.key) : undefined
      if (told !== undefined) node.parents.add(told)
    } else {
      const { stored, entity } = late
      const base =
        entity === undefined
          ? this.graph.absent(node.key)
          : stored === undefined
            ? this.#known(view, shown, entity as SyncedEntity) // an action put it
            : this.graph.value(node.key, stored)
      node.parents.add(base)
      node.shownOver.add(shown)
    }
    const known = revision === undefined ? undefined : this.server.ofRevision(revision)
    if (known?.key === node.key && known.isGone) node.parents.add(known)
  }

  /** A resolver or a person decided about a conflict. */
  decided(
    device: string,
    local: LocalSide,
    remote: RemoteSide | undefined,
    group: readonly LocalSide[],
    resolution: Resolution,
  ): void {
    const key = keyOf(local)
    const mine = this.#local(device, local)
    // The server did not change this member of a group.
    const theirs = remote === undefined ? this.server.node(key) : this.#remote(device, key, remote)
    if (mine.written?.schemaVersion !== theirs.written?.schemaVersion) {
      this.#tally.count('mixedConflict')
    }
    this.#assertCompeting(device, mine, theirs)
    // The server knows nothing of it, not even that it was deleted.
    if (remote?.entityVersion === 0 && theirs.accepted && !this.serverWasRestored) {
      this.#tally.count('editOfPurged')
    }
    if (resolution.type === 'keepLocal') {
      if (!mine.parents.has(theirs)) mine.settledOver.add(theirs)
      mine.parents.add(theirs)
    }
    if (resolution.type === 'merge') {
      const bytes = encodeEntity(resolution.entity)
      const over = newestOf(mine.written, theirs.written)
      const { version } = this.device(device)
      const schemaVersion = this.#shapes.versionOfEdit(version, key, bytes, over)
      const merged = this.graph.value(key, { bytes, schemaVersion })
      const isSide = merged === mine || merged === theirs
      if (!isSide) merged.isMerged = true
      for (const side of [mine, theirs]) {
        if (side === merged) continue
        // One side as it is: it was not made on the other one, whatever is decided about them.
        if (isSide && !merged.parents.has(side)) merged.settledOver.add(side)
        merged.parents.add(side)
      }
    } else if (resolution.type === 'takeRemote') {
      const why = 'the conflict was settled by takeRemote'
      this.device(device).givesUp(mine)
      this.#excuse(mine, theirs, why)
      this.dropped(
        device,
        group.map((side) => this.#local(device, side)),
        why,
      )
    }
  }

  /** Nobody is asked about an edit and what it was made on: after a restore alone a device cannot know better. */
  #assertCompeting(device: string, mine: WriteNode, theirs: WriteNode): void {
    if (this.serverWasRestored || this.#copiedDevices.has(device)) return
    if (mine.isGone || theirs.isGone || this.#isAmbiguous(mine) || this.#isAmbiguous(theirs)) return
    if (wasMadeOn(mine, theirs) || wasMadeOn(theirs, mine)) {
      throw new Violation(`${device} is asked about ${mine} and ${theirs}, which do not compete`)
    }
  }

  /**
   * Several wrote the same, or it was kept over what may have come after it, which is as if it were written again; or a copy
   * of its device's files offered it again after what had been made on it.
   */
  #isAmbiguous(node: WriteNode): boolean {
    const { isOfSeveral, settledOver, parents } = node
    if (isOfSeveral || settledOver.size > 0) return true
    return [...parents].some((each) => descendsFrom(each, node))
  }

  /** These local edits are given up on purpose. */
  dropped(device: string, nodes: readonly WriteNode[], why: string): void {
    for (const node of nodes) {
      this.device(device).givesUp(node)
      this.#excuse(node, this.server.node(node.key), why)
    }
  }

  /** There are, or were, other files of the device: it may meet edits of its own. */
  wasCopied(device: string): void {
    this.#copiedDevices.add(device)
    this.server.wasCopied(device)
  }

  /** The device went back to a copy: what only it had is lost. `writers`: whose edits its files had. */
  deviceRestored(
    device: string,
    contents: Contents,
    deletes: RememberedDeletes,
    writers: ReadonlySet<string>,
  ): void {
    const why = `${device} went back to a backup`
    const view = this.device(device)
    // What the server lost before, this device may have been the last to have.
    const lost = [...view.held()].filter((each) => this.server.hasLost(each))
    const lostWith = new Set(lost.flatMap((each) => [...ancestorsOf(each)]))
    view.restored(contents, deletes)
    this.wasCopied(device)
    const isOwn = ({ transactions }: WriteNode): boolean =>
      transactions.some((each) => writers.has(each.device))
    this.#excuseUnheld((node) => isOwn(node) || lostWith.has(node), why)
  }

  /** The server went back to a copy, which has this: what no device holds any more is lost. */
  serverRestored(log: ServerLog): void {
    this.serverWasRestored = true
    this.server.restored(log)
    for (const transaction of this.transactions) transaction.isAtomic = false
    this.#excuseUnheld(() => true, 'the server went back to a backup')
  }

  /** At the end, with nothing left to do: no edit is missing without a reason. */
  assertNothingLost(): void {
    for (const transaction of this.transactions) {
      if (!transaction.acknowledged) continue
      const { name, device } = transaction
      const lost = transaction.writes.find((node) => !this.#isAccountedFor(node))
      if (lost !== undefined) {
        throw new Violation(
          `'${name}' of ${device} is lost: ${lost} is not in ${this.server.node(lost.key)}`,
        )
      }
    }
  }

  #isAccountedFor(node: WriteNode): boolean {
    if (node.excuse !== undefined || descendsFrom(this.server.node(node.key), node)) return true
    const isThere = node.accepted && !this.server.hasLost(node)
    return !isThere && this.server.wasDeletedAfter(node)
  }

  /** All that led to `node` and is not in `kept`. */
  #excuse(node: WriteNode, kept: WriteNode, why: string): void {
    const keeping = ancestorsOf(kept)
    for (const each of ancestorsOf(node)) {
      if (!keeping.has(each) && each !== this.graph.absent(each.key)) each.excuse ??= why
    }
  }

  /** What nobody shows, and the server has not. */
  #excuseUnheld(concerns: (node: WriteNode) => boolean, why: string): void {
    const held = new Map<string, ReadonlySet<WriteNode>>()
    for (const node of this.graph.written()) {
      const holding = held.get(node.key) ?? this.#held(node.key)
      held.set(node.key, holding)
      if (!holding.has(node) && concerns(node)) node.excuse ??= why
    }
  }

  #held(key: string): ReadonlySet<WriteNode> {
    const views = [...this.#devices.values()].map((view) => view.node(key))
    return new Set([this.server.node(key), ...views].flatMap((node) => [...ancestorsOf(node)]))
  }

  #local(device: string, { collection, entityId, entity }: LocalSide): WriteNode {
    const key = `${collection}/${entityId}`
    const view = this.device(device)
    return entity === null ? view.gone(key) : this.#known(view, view.node(key), entity)
  }

  #remote(device: string, key: string, { entity, entityVersion }: RemoteSide): WriteNode {
    const ofRevision = this.server.ofRevision(entityVersion)
    // A restored server gives numbers again, to other entities.
    const isOther = this.serverWasRestored && ofRevision?.key !== key
    const named = isOther ? undefined : ofRevision
    if (entity !== null) {
      const shown = this.#known(this.device(device), named ?? this.graph.absent(key), entity)
      if (named === undefined || named === shown || this.serverWasRestored) return shown
      throw new Violation(`${device} is asked about ${shown}, but ${entityVersion} is ${named}`)
    }
    if (named !== undefined) return named
    return this.server.lastDelete(key) ?? this.graph.absent(key)
  }

  /** What the device reads so: `likely`, if it does, for several versions of a shape may read the same. */
  #known(view: DeviceView, likely: WriteNode, entity: SyncedEntity): WriteNode {
    const bytes = encodeEntity(entity)
    const isRead = (node: WriteNode): boolean => isSameBytes(view.reads(node), bytes)
    const node = isRead(likely) ? likely : this.graph.valuesOf(likely.key).findLast(isRead)
    if (node !== undefined) return node
    throw new Violation(`${view.name} reads a ${likely.key} that nobody wrote`)
  }
}

/** The side that a newer version wrote; the first, if neither did. */
function newestOf(a: Written | null, b: Written | null): Written | undefined {
  if (a === null || b === null) return a ?? b ?? undefined
  return b.schemaVersion > a.schemaVersion ? b : a
}

function keyOf({ collection, entityId }: LocalSide): string {
  return `${collection}/${entityId}`
}
