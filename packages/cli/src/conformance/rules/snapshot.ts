/** Snapshots: section 7.2. */
import { PACKED_FORM, type PullResponse, type SyncOperation } from '@entidb/protocol'
import type { Bench } from '../bench.ts'
import type { ItemMap } from '../cbor-item.ts'
import type { Device } from '../device.ts'
import { textOf } from '../diagnostic.ts'
import { expectEqual, expectThat, forEachCase } from '../expectations.ts'
import { known } from '../pushed.ts'
import type { Rule } from '../rule.ts'
import {
  allPages,
  askForPage,
  limitForSeveral,
  onePage,
  pageOf,
  somePlace,
} from '../snapshot-pages.ts'

/** So many differences are told. */
const TOLD_MAX = 5

const keyOf = ({ collection, entityId }: SyncOperation): string => `${collection}/${entityId}`

const opsOf = (pages: readonly PullResponse[]): readonly SyncOperation[] =>
  pages.flatMap(({ ops }) => ops)

const ids = ['e1', 'e2', 'e3', 'e4', 'e5', 'e6']

interface Written {
  readonly device: Device
  /** Of `ids`, in that order. */
  readonly revisions: readonly number[]
}

/** A device with six entities, in two groups. */
async function written(bench: Bench): Promise<Written> {
  const device = bench.device()
  const ops = ids.map((id, i) => device.put(id, { v: i }, { tx: i % 2, timestampMs: i - 3 }))
  return { device, revisions: (await device.push(...ops)).revisions(...ops) }
}

/** The operations of every entity as text, in the one form that a snapshot and a pull by cursor have in common. */
function textsByKey(ops: readonly SyncOperation[]): Map<string, string> {
  return new Map(
    ops.map(({ tx: _, ...op }) => [
      keyOf(op),
      textOf({ ...op, schemaVersion: op.schemaVersion ?? 1 }),
    ]),
  )
}

function expectSameEntities(
  snapshot: readonly SyncOperation[],
  byCursor: readonly SyncOperation[],
): void {
  const seen = new Set<string>()
  const twice = snapshot.map(keyOf).filter((key) => seen.size === seen.add(key).size)
  expectEqual('entities in two pages', twice.slice(0, TOLD_MAX), [])
  const [left, right] = [textsByKey(snapshot), textsByKey(byCursor)]
  const all = [...new Set([...left.keys(), ...right.keys()])]
  const differing = all.filter((key) => left.get(key) !== right.get(key)).slice(0, TOLD_MAX)
  expectEqual(
    'entities that are not in both alike, by snapshot',
    differing.map((key) => left.get(key)),
    differing.map((key) => right.get(key)),
  )
}

/** Pulls by pages of some entities and edits between two of them, once `count` of them are there. */
async function expectEditsFollow(bench: Bench, limit: number, count: number): Promise<void> {
  const { device, revisions } = await written(bench)
  const [e1 = 0, e2 = 0] = revisions
  const edits = [
    device.put('e1', { v: 'later' }, { entityVersion: e1 }),
    device.delete('e2', e2),
    device.put('e7'),
  ]
  let made: readonly number[] = []
  const pages = await allPages(bench, device, { limit }, async (pulled) => {
    if (pulled === count) made = (await device.push(...edits)).revisions(...edits)
  })
  expectEqual('edits between the pages', made.length, edits.length)
  const throughs = pages.map(({ snapshot }) => snapshot.through)
  expectEqual('through of all pages', [...new Set(throughs)], throughs.slice(0, 1))
  const own = opsOf(pages).filter(({ collection }) => collection === device.collection)
  const lasting = own.map(({ entityId }) => entityId).filter((id) => id !== 'e7')
  expectEqual('entities that were there all the time', lasting.toSorted(), ids)
  const followed = await device.pullOwn(pages.at(-1)?.nextCursor ?? 0)
  expectEqual(
    'what the pulls after the snapshot bring',
    followed.map((op) => [op.entityId, op.opType, op.entityVersion]),
    edits.map((op, i) => [op.entityId, op.opType, made[i]]),
  )
}

export const snapshotRules: readonly Rule[] = [
  {
    id: 'snapshot/pages',
    section: '7.2',
    holds:
      'the pages of a snapshot have the newest operation of every entity once, tombstones too, as pulls give it but for its group',
    check: async (bench) => {
      const { device, revisions } = await written(bench)
      await device.push(
        device.delete('e2', revisions[1] ?? 0),
        device.put('e3', {}, { entityVersion: revisions[2] ?? 0, schemaVersion: 7 }),
      )
      const limit = await limitForSeveral(bench, device)
      const byCursor = opsOf(await device.pullPages(0))
      await forEachCase({ 'no limit': {}, [`limit ${limit}`]: { limit } }, async (more) => {
        const snapshot = opsOf(await allPages(bench, device, more))
        expectSameEntities(snapshot, byCursor)
        const inGroups = snapshot.filter(({ tx }) => tx !== undefined).map(keyOf)
        expectEqual('operations with a group', inGroups.slice(0, TOLD_MAX), [])
      })
    },
  },
  {
    id: 'snapshot/limit',
    section: '7.2',
    holds: 'a page of a snapshot has at most limit operations',
    check: async (bench) => {
      const { device } = await written(bench)
      for (const limit of [1, 2, 3]) {
        const { ops } = await pageOf(bench, device, {}, { limit })
        expectThat(ops.length <= limit, `at most ${limit} operations`, ops.length)
      }
    },
  },
  {
    id: 'snapshot/cursor',
    section: '7.2',
    holds:
      'nextCursor is 0 and hasMore true up to the last page of a snapshot; that leads to the head there was when it began, and says whether it has moved',
    check: async (bench) => {
      const { device } = await written(bench)
      const limit = await limitForSeveral(bench, device)
      for (const moves of [false, true]) {
        const head = await device.head()
        const pages = await allPages(bench, device, { limit }, async (count) => {
          if (moves && count === 1) await device.push(device.put('e7'))
        })
        if (pages.length === 1) bench.skip(onePage)
        const said = pages.map(({ nextCursor, hasMore }) => [nextCursor, hasMore])
        const expected = pages.map((_, i) => (i < pages.length - 1 ? [0, true] : [head, moves]))
        expectEqual('nextCursor and hasMore of all pages', said, expected)
      }
    },
  },
  {
    id: 'snapshot/between',
    section: '7.2',
    holds:
      'what is written and deleted between two pages of a snapshot comes with the pulls after it; what lasts is in one page, and through stays the same',
    check: async (bench) => {
      const { device } = await written(bench)
      const limit = await limitForSeveral(bench, device)
      const pages = await allPages(bench, device, { limit })
      if (pages.length === 1) bench.skip(onePage)
      await forEachCase(
        { 'edits after the first page': 1, 'edits before the last page': pages.length - 1 },
        async (count) => expectEditsFollow(bench, limit, count),
      )
    },
  },
  {
    id: 'snapshot/again',
    section: '7.2',
    holds:
      'a snapshot that is begun again is a new one: it leads to the head of now, and has what was written since',
    check: async (bench) => {
      const { device } = await written(bench)
      const limit = await limitForSeveral(bench, device)
      await pageOf(bench, device, {}, { limit })
      const { head } = await device.push(device.put('e7'))
      const pages = await allPages(bench, device, { limit })
      expectEqual('through', pages[0]?.snapshot.through, head)
      const seen = opsOf(pages).filter(({ collection }) => collection === device.collection)
      expectThat(
        seen.some(({ entityId }) => entityId === 'e7'),
        'a page with what was written',
        seen.map(({ entityId }) => entityId),
      )
    },
  },
  {
    id: 'snapshot/repeated',
    section: '7.2',
    holds: 'a page of a snapshot that is asked for again, also by another device, is the same page',
    check: async (bench) => {
      const { device } = await written(bench)
      const place = await somePlace(bench, device)
      const page = await pageOf(bench, device, place, { limit: 2 })
      for (const other of [device, bench.device()]) {
        expectEqual('the same page', await pageOf(bench, other, place, { limit: 2 }), page)
      }
    },
  },
  {
    id: 'snapshot/unasked',
    section: '7.2',
    holds:
      'a request without snapshot, without packed, with an older form or with collections gets a page by cursor, whatever place it names',
    check: async (bench) => {
      const { device } = await written(bench)
      const place = await somePlace(bench, device)
      const collections = [device.collection]
      const requests: Readonly<Record<string, ItemMap>> = {
        'no snapshot': { snapshot: undefined },
        'no packed': { packed: undefined },
        'an older form': { packed: PACKED_FORM - 1 },
        'no packed and a place': { packed: undefined, snapshot: place },
        collections: { collections },
        'collections and a place': { collections, snapshot: place },
      }
      await forEachCase(requests, async (more) => {
        const page = await askForPage(device, {}, more)
        expectEqual('snapshot', page.snapshot, undefined)
        expectThat(page.nextCursor > 0, 'a nextCursor that moves on', page.nextCursor)
      })
    },
  },
  {
    id: 'snapshot/malformed',
    section: '7.2',
    holds:
      'a place with one of its fields, or with one that is none, or with a cursor other than 0, is invalid_request',
    check: async (bench) => {
      const { device } = await written(bench)
      const { through, after } = await somePlace(bench, device)
      const cases: Readonly<Record<string, ItemMap>> = {
        'through alone': { snapshot: { through } },
        'after alone': { snapshot: { after } },
        'another cursor': { snapshot: {}, sinceCursor: through },
        'another cursor and a place': { snapshot: { through, after }, sinceCursor: through },
        'after of 0 bytes': { snapshot: { through, after: '' } },
        'after of 1025 bytes': { snapshot: { through, after: 'x'.repeat(1025) } },
        'after of 513 letters': { snapshot: { through, after: 'ü'.repeat(513) } },
        'through that is negative': { snapshot: { through: -1, after } },
        'a snapshot that is no map': { snapshot: true },
        null: { snapshot: null },
      }
      await forEachCase(cases, async (fields) => {
        const pull = { dbId: bench.dbId, sinceCursor: 0, packed: PACKED_FORM, ...fields }
        await bench.api.refused('pull', pull, 'invalid_request')
      })
      const longest = await pageOf(bench, device, { through, after: 'x'.repeat(1024) })
      expectEqual('through of a page behind 1024 bytes', longest.snapshot.through, through)
    },
  },
  {
    id: 'snapshot/cursor-ahead',
    section: '7.2',
    holds: 'a snapshot through a cursor past the head is cursor_ahead',
    check: async (bench) => {
      const { device } = await written(bench)
      const { after } = await somePlace(bench, device)
      // A server that was just started begins an epoch for such a cursor; after a push it has.
      const through = (await device.head()) + 1
      const pull = {
        dbId: bench.dbId,
        sinceCursor: 0,
        packed: PACKED_FORM,
        snapshot: { through, after },
      }
      await bench.api.refused('pull', pull, 'cursor_ahead')
    },
  },
  {
    id: 'snapshot/epoch',
    section: '7.2',
    holds:
      'a page of a snapshot under another epoch is epoch_mismatch, under this one it is served',
    check: async (bench) => {
      const { device } = await written(bench)
      const epoch = known((await device.handshake()).epoch, 'epoch')
      const some = await somePlace(bench, device)
      for (const place of [{}, some]) {
        await pageOf(bench, device, place, { limit: 1, epoch })
        const pull = {
          dbId: bench.dbId,
          sinceCursor: 0,
          packed: PACKED_FORM,
          snapshot: { ...place },
        }
        await bench.api.refused('pull', { ...pull, epoch: bench.newId() }, 'epoch_mismatch')
      }
    },
  },
]
