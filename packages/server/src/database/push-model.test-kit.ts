/**
 * The rules of a push, spelt naively over plain maps: what the model-based test compares the server
 * with. Written from the protocol document, not from the product's code.
 */
import type { SyncOperation } from '@entidb/protocol'
import { isSound } from './sync-database.test-kit.ts'

type Fate = number | 'stale' | 'group' | 'invalid_entity'

interface State {
  readonly revision: number
  readonly bytes: string | null
}

const hex = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString('hex')

const ABSENT: State = { revision: 0, bytes: null }

export class PushModel {
  head: number
  readonly states = new Map<string, State>()
  /** Entity and bytes in cursor order. */
  readonly oplog: { revision: number; entityId: string; bytes: string | null }[] = []
  readonly #accepted = new Map<string, { content: string; revision: number }>()
  readonly #floors = new Map<string, number>()

  constructor(head: number) {
    this.head = head
  }

  /** Fates by opId, or the code of the error. */
  push(ops: readonly SyncOperation[]): Record<number, Fate> | 'op_id_reused' {
    for (const op of ops) {
      const known = this.#accepted.get(this.#key(op))
      if (known !== undefined && known.content !== this.#content(op)) return 'op_id_reused'
    }
    const fates: Record<number, Fate> = {}
    const groups = new Map<string, SyncOperation[]>()
    for (const op of ops) {
      const known = this.#accepted.get(this.#key(op))
      if (known !== undefined) fates[op.opId] = known.revision
      else {
        const name = op.tx === undefined ? `alone ${op.opId}` : `tx ${op.tx}`
        groups.set(name, [...(groups.get(name) ?? []), op])
      }
    }
    for (const group of groups.values()) this.#decide(group, fates)
    const [first] = ops
    if (first !== undefined) {
      const floor = this.#floors.get(first.deviceId) ?? 0
      this.#floors.set(first.deviceId, Math.max(floor, first.opId))
    }
    return fates
  }

  #decide(group: readonly SyncOperation[], fates: Record<number, Fate>): void {
    if (group.some((op) => !isSound(op))) {
      for (const op of group) fates[op.opId] = isSound(op) ? 'group' : 'invalid_entity'
      return
    }
    const floor = this.#floors.get(group[0]?.deviceId ?? '') ?? 0
    const state = (op: SyncOperation): State => this.states.get(op.entityId) ?? ABSENT
    const isNoop = (op: SyncOperation): boolean => state(op).bytes === hex(op.entityCbor)
    const isStale = (op: SyncOperation): boolean =>
      !isNoop(op) && (op.entityVersion !== state(op).revision || op.opId < floor)
    const blocked = group.some(isStale)
    for (const op of group) {
      if (isNoop(op)) fates[op.opId] = this.#accept(op, state(op).revision)
      else if (blocked) fates[op.opId] = isStale(op) ? 'stale' : 'group'
      else {
        const revision = ++this.head
        const bytes = hex(op.entityCbor)
        this.states.set(op.entityId, { revision, bytes })
        this.oplog.push({ revision, entityId: op.entityId, bytes })
        fates[op.opId] = this.#accept(op, revision)
      }
    }
  }

  #accept(op: SyncOperation, revision: number): number {
    this.#accepted.set(this.#key(op), { content: this.#content(op), revision })
    return revision
  }

  #key({ deviceId, opId }: SyncOperation): string {
    return `${deviceId} ${opId}`
  }

  #content({ entityId, opType, entityVersion, entityCbor }: SyncOperation): string {
    return `${entityId} ${opType} ${entityVersion} ${hex(entityCbor)}`
  }
}
