/** Histories told to an oracle by hand: notes that devices write and show, and what a server has of them. */
import { defineCollection, type RawEntity } from '@entidb/core'
import { encodeEntity } from '@entidb/core/cbor'
import { EPOCH_STRIDE, type SyncOperation } from '@entidb/protocol'
import { Tally } from '../kernel/tally.ts'
import type { Contents } from './contents.ts'
import type { LocalTransaction } from './local-transaction.ts'
import { type MadeOn, Oracle } from './oracle.ts'
import { Shapes } from './shapes.ts'

/** Of notes, by id. */
type Texts = Readonly<Record<string, string>>

export class OracleHistory {
  readonly oracle: Oracle = new Oracle(
    new Tally(),
    new Shapes([{ notes: defineCollection<{ readonly id: string }>({}) }]),
  )

  /** The device changes what it finds: `before` to `after`. `late`: the text that a form showed, for notes saved late. */
  writes(device: string, before: Texts, after: Texts, late: Texts = {}): LocalTransaction {
    const madeOn = Object.entries(late).map(([id, text]): [string, MadeOn] => {
      const stored = rawOf(id, text)
      return [`notes/${id}`, { late: { entity: { id, text }, stored } }]
    })
    return this.oracle.wrote({
      device,
      name: 'edit',
      before: contentsOf(before),
      after: contentsOf(after),
      madeOn: new Map(madeOn),
      puts: new Set(),
    })
  }

  /** `revisions`: what the device knows then, by id. */
  shows(device: string, texts: Texts, revisions: Readonly<Record<string, number>> = {}): void {
    const known = Object.entries(revisions).map(
      ([id, revision]) => [`notes/${id}`, revision] as const,
    )
    this.oracle.device(device).show(contentsOf(texts), new Map(known))
  }

  /** The server has these from now on, under revisions that follow `head`; null: deleted. */
  accepts(device: string, head: number, states: Readonly<Record<string, string | null>>): void {
    this.oracle.server.knowDevice(device, device)
    const ops = Object.entries(states).map(([id, text], i) =>
      operationOf(device, head + 1 + i, id, text),
    )
    this.oracle.server.advance(ops, head + ops.length)
  }

  /**
   * The device decides between its own text of note n and the server's of `revision`: `merged` is what it puts in the
   * place of both, undefined: it keeps its own.
   */
  decides(
    device: string,
    [mine, theirs]: readonly [string, string],
    revision: number,
    merged: string | undefined,
  ): void {
    const entityOf = (text: string) => ({ id: 'n', text })
    this.oracle.decided(
      device,
      { collection: 'notes', entityId: 'n', opType: 'PUT', entity: entityOf(mine) },
      { entityVersion: revision, entity: entityOf(theirs) },
      [],
      merged === undefined ? { type: 'keepLocal' } : { type: 'merge', entity: entityOf(merged) },
    )
  }

  /** The server is restored to where this was its newest state, and all that its log kept. */
  restoresServer(device: string, revision: number, [id, text]: readonly [string, string]): void {
    const ops = [operationOf(device, revision, id, text)]
    this.oracle.serverRestored({ ops, head: revision, purgedThrough: 0 })
  }
}

/** The head at which the epoch begins that follows a restore. */
export const NEXT_EPOCH = EPOCH_STRIDE

function operationOf(
  deviceId: string,
  entityVersion: number,
  entityId: string,
  text: string | null,
): SyncOperation {
  return {
    opId: entityVersion,
    dbId: 'db',
    deviceId,
    collection: 'notes',
    entityId,
    opType: text === null ? 'DELETE' : 'PUT',
    entityVersion,
    entityCbor: text === null ? null : encodeEntity({ id: entityId, text }),
  }
}

function contentsOf(texts: Texts): Contents {
  return new Map(Object.entries(texts).map(([id, text]) => [`notes/${id}`, rawOf(id, text)]))
}

function rawOf(id: string, text: string): RawEntity {
  return { bytes: encodeEntity({ id, text }), version: 0, schemaVersion: 1 }
}
