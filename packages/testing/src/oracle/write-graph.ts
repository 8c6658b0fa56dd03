/**
 * Which value was made on which. A node is one content of one entity in one version of its shape, whoever wrote it, or
 * one delete; its parents
 * are what its writers had before them, or settled a conflict over. A value may take the place of another one only
 * if it descends from it.
 */
import { describeBytes } from '../application/describe-entity.ts'
import type { LocalTransaction } from './local-transaction.ts'
import type { Written } from './shapes.ts'

export class WriteNode {
  /** `collection/id`. */
  readonly key: string
  /** Null: absent or deleted. */
  readonly written: Written | null
  readonly parents: Set<WriteNode> = new Set()
  /** Those of `parents` over which a conflict was settled: it was not made on them. */
  readonly settledOver: Set<WriteNode> = new Set()
  /** What the application overwrote by a late save: shown over it, but not made on it. */
  readonly shownOver: Set<WriteNode> = new Set()
  /** Why it may be gone: a decision of the application, or a loss that nobody could have prevented. */
  excuse: string | undefined
  /** The server had it at some time. */
  accepted = false
  /** The local transactions that wrote it. */
  readonly transactions: LocalTransaction[] = []
  /** A decision about a conflict made it, of both sides. */
  isMerged = false
  /** Of a delete: how much of what the server accepted its device had seen. */
  readonly serverTick: number
  /** Of a delete: who made it. */
  readonly device: string

  constructor(key: string, written: Written | null, serverTick = 0, device = '') {
    this.key = key
    this.written = written
    this.serverTick = serverTick
    this.device = device
  }

  /** A delete, or an absence. */
  get isGone(): boolean {
    return this.written === null
  }

  /** Nobody knows whose of it is meant. */
  get isOfSeveral(): boolean {
    return this.transactions.length + (this.isMerged ? 1 : 0) > 1
  }

  get bytes(): Uint8Array | null {
    return this.written?.bytes ?? null
  }

  toString(): string {
    const { schemaVersion = 1 } = this.written ?? {}
    const shape = schemaVersion === 1 ? '' : ` (version ${schemaVersion})`
    return `${this.key}=${describeBytes(this.bytes)}${shape}`
  }
}

export class WriteGraph {
  readonly #values = new Map<string, Map<string, WriteNode>>()
  readonly #absent = new Map<string, WriteNode>()
  readonly #deletes = new Map<string, WriteNode[]>()

  /** The node of this content, a new one if nobody wrote it before. */
  value(key: string, { bytes, schemaVersion }: Written): WriteNode {
    const known = this.find(key, { bytes, schemaVersion })
    if (known !== undefined) return known
    const node = new WriteNode(key, { bytes, schemaVersion })
    const values = this.#values.get(key) ?? new Map<string, WriteNode>()
    this.#values.set(key, values.set(nameOf({ bytes, schemaVersion }), node))
    return node
  }

  /** Undefined: nobody ever wrote this. */
  find(key: string, written: Written): WriteNode | undefined {
    return this.#values.get(key)?.get(nameOf(written))
  }

  /** All contents of the entity, oldest first. */
  valuesOf(key: string): readonly WriteNode[] {
    return [...(this.#values.get(key)?.values() ?? [])]
  }

  /** Before anybody wrote it. */
  absent(key: string): WriteNode {
    const node = this.#absent.get(key) ?? new WriteNode(key, null)
    this.#absent.set(key, node)
    return node
  }

  /** A new delete by a device. */
  delete(key: string, serverTick: number, device: string): WriteNode {
    const node = new WriteNode(key, null, serverTick, device)
    this.#deletes.set(key, [...this.deletesOf(key), node])
    return node
  }

  /** All deletes of the entity, oldest first. */
  deletesOf(key: string): readonly WriteNode[] {
    return this.#deletes.get(key) ?? []
  }

  /** Everything that was written, deletes included. */
  written(): WriteNode[] {
    const values = [...this.#values.values()].flatMap((nodes) => [...nodes.values()])
    return [...values, ...[...this.#deletes.values()].flat()]
  }
}

function nameOf({ bytes, schemaVersion }: Written): string {
  return `${schemaVersion}/${Buffer.from(bytes).toString('latin1')}`
}

/** `node` and all that is still in it: nothing is left of what was deleted on the way. */
export function contentsOf(node: WriteNode): ReadonlySet<WriteNode> {
  const found = new Set([node])
  for (const each of found) {
    if (each.isGone) continue
    for (const parent of each.parents) found.add(parent)
  }
  return found
}

/** Whose write it is; undefined for a delete, and for what several wrote. */
export function transactionOf({ isGone, transactions }: WriteNode): LocalTransaction | undefined {
  return isGone || transactions.length !== 1 ? undefined : transactions[0]
}

/** Whether the device wrote it, maybe not alone. */
export function wasWrittenBy(node: WriteNode, device: string): boolean {
  return node.isGone
    ? node.device === device
    : node.transactions.some((each) => each.device === device)
}

/** Whether `later` is `earlier`, or was made on it, directly or not. */
export function descendsFrom(later: WriteNode, earlier: WriteNode): boolean {
  return later === earlier || ancestorsOf(later).has(earlier)
}

/** `node` and all it was made on. */
export function ancestorsOf(node: WriteNode): ReadonlySet<WriteNode> {
  // A set that grows while it is walked.
  const found = new Set([node])
  for (const each of found) for (const parent of each.parents) found.add(parent)
  return found
}

/**
 * Whether `later` was made on `earlier` with no conflict between them. Where several wrote the same on the way, nobody
 * knows whose of it was meant: then not.
 */
export function wasMadeOn(later: WriteNode, earlier: WriteNode): boolean {
  const found = new Set([later])
  for (const each of found) {
    if (each === earlier) return true
    if (each.isOfSeveral) continue
    for (const parent of each.parents) if (!each.settledOver.has(parent)) found.add(parent)
  }
  return false
}

/** Whether what the server does not have yet of `node`'s past was made where there was nothing. */
export function wasMadeOnNothing(
  node: WriteNode,
  serverHas: (node: WriteNode) => boolean,
): boolean {
  const pending = new Set([node])
  for (const each of pending) {
    for (const parent of each.parents) {
      if (parent.isGone) return true
      if (!serverHas(parent)) pending.add(parent)
    }
  }
  return false
}
