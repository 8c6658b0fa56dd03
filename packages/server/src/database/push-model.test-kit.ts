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
  oplog: { revision: number; entityId: string; bytes: string | null }[] = []
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

  /** Below the horizon only the newest operation of each entity is left. */
  compact(horizon: number): void {
    const newest = new Map<string, number>()
    for (const { revision, entityId } of this.oplog) {
      if (revision <= horizon) newest.set(entityId, revision)
    }
    this.oplog = this.oplog.filter(
      ({ revision, entityId }) => revision >= (newest.get(entityId) ?? 0),
    )
  }

  /** The entity of a tombstone is as if it had never been. */
  purge(revision: number): void {
    const tombstone = this.oplog.find((op) => op.revision === revision)
    if (tombstone === undefined) throw new Error(`no operation ${revision}`)
    this.states.delete(tombstone.entityId)
    this.oplog = this.oplog.filter((op) => op !== tombstone)
  }

  /** Records of accepted operations last until the device has pushed something newer. */
  forget(): void {
    for (const key of [...this.#accepted.keys()]) {
      const [device = '', opId] = key.split(' ')
      if (Number(opId) < (this.#floors.get(device) ?? 0)) this.#accepted.delete(key)
    }
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
