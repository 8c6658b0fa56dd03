/** One device of a rule: makes operations on its own collection, pushes and pulls. */
import type { WireErrorCode } from '@entidb/core'
import type {
  ErrorResponse,
  HandshakeResponse,
  PullResponse,
  SyncOperation,
} from '@entidb/protocol'
import type { ItemMap } from './cbor-item.ts'
import { RuleFailure } from './expectations.ts'
import { entityOf, type Operation, type OperationFields } from './operation.ts'
import { Pushed } from './pushed.ts'
import type { Answers, Endpoint, SyncApi } from './sync-api.ts'

export interface DeviceOptions {
  readonly api: SyncApi
  readonly dbId: string
  readonly deviceId: string
  readonly collection: string
}

export class Device {
  readonly id: string
  readonly dbId: string
  readonly collection: string
  readonly #api: SyncApi
  /** Of the last operation that was made. */
  opId = 0

  constructor({ api, dbId, deviceId, collection }: DeviceOptions) {
    this.#api = api
    this.dbId = dbId
    this.id = deviceId
    this.collection = collection
  }

  /** A new PUT, on base 0 unless `options` say otherwise; `fields` are the entity's besides its id. */
  put(entityId: string, fields: ItemMap = {}, options: OperationFields = {}): Operation {
    return this.#operation({
      entityId,
      opType: 'PUT',
      entityVersion: 0,
      entityCbor: entityOf(entityId, fields),
      ...options,
    })
  }

  delete(entityId: string, base: number, options: OperationFields = {}): Operation {
    return this.#operation({
      entityId,
      opType: 'DELETE',
      entityVersion: base,
      entityCbor: null,
      ...options,
    })
  }

  /** `more`: further fields of the request, or others. */
  request(ops: readonly ItemMap[], more: ItemMap = {}): ItemMap {
    return { dbId: this.dbId, deviceId: this.id, ops, ...more }
  }

  async push(...ops: readonly Operation[]): Promise<Pushed> {
    return this.pushWith({}, ...ops)
  }

  /** Pushes this alone: the revision it is committed at, a failure unless it is. */
  async commit(op: Operation): Promise<number> {
    return (await this.push(op)).revisionOf(op)
  }

  async pushWith(more: ItemMap, ...ops: readonly Operation[]): Promise<Pushed> {
    return new Pushed(await this.call('push', this.request(ops, more)))
  }

  async refused(
    code: WireErrorCode,
    ops: readonly ItemMap[],
    more: ItemMap = {},
  ): Promise<ErrorResponse> {
    return this.#api.refused('push', this.request(ops, more), code)
  }

  async handshake(more: ItemMap = {}): Promise<HandshakeResponse> {
    return this.call('handshake', { dbId: this.dbId, deviceId: this.id, ...more })
  }

  async head(): Promise<number> {
    return (await this.handshake()).serverCursor
  }

  async pull(sinceCursor: number, more: ItemMap = {}): Promise<PullResponse> {
    return this.call('pull', { dbId: this.dbId, sinceCursor, ...more })
  }

  /** Every page from `sinceCursor` on. */
  async pullPages(sinceCursor: number, more: ItemMap = {}): Promise<PullResponse[]> {
    const pages: PullResponse[] = []
    for (let cursor = sinceCursor; ; ) {
      const page = await this.pull(cursor, more)
      pages.push(page)
      if (!page.hasMore) return pages
      if (page.nextCursor <= cursor) {
        throw new RuleFailure(
          `nextCursor beyond ${cursor}, as there is more`,
          String(page.nextCursor),
        )
      }
      cursor = page.nextCursor
    }
  }

  /** The operations of this device's collection from `sinceCursor` on. */
  async pullOwn(sinceCursor: number, more: ItemMap = {}): Promise<SyncOperation[]> {
    const pages = await this.pullPages(sinceCursor, more)
    return pages
      .flatMap(({ ops }) => ops)
      .filter(({ collection }) => collection === this.collection)
  }

  async call<E extends Endpoint>(endpoint: E, message: ItemMap): Promise<Answers[E]> {
    return this.#api.call(endpoint, message)
  }

  #operation(
    fields: Pick<Operation, 'entityId' | 'opType' | 'entityVersion' | 'entityCbor'> &
      OperationFields,
  ): Operation {
    this.opId += 1
    return {
      opId: this.opId,
      dbId: this.dbId,
      deviceId: this.id,
      collection: this.collection,
      ...fields,
    }
  }
}
