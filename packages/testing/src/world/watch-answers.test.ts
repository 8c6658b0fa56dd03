import { encodeEntity } from '@entidb/core/cbor'
import {
  EPOCH_STRIDE,
  encodeErrorResponse,
  encodePullRequest,
  encodePullResponse,
  HANDSHAKE_PATH,
  PULL_PATH,
} from '@entidb/protocol'
import { expect, test } from 'vitest'
import { Tally } from '../kernel/tally.ts'
import { OracleHistory } from '../oracle/oracle-history.test-kit.ts'
import { ServerView } from '../oracle/server-view.ts'
import { WriteGraph } from '../oracle/write-graph.ts'
import { AnswerWatch } from './watch-answers.ts'

function answered(watch: AnswerWatch, device: string, path: string, status: number): void {
  const answer = new Uint8Array(0)
  watch.look({ device, url: `https://sync.simulated${path}`, body: undefined, status, answer })
}

test('answers: the server or a device goes back to other files -> it follows again when they shook hands', () => {
  const watch = new AnswerWatch(
    new ServerView(new WriteGraph()),
    new Tally(),
    () => 0,
    () => {},
  )
  for (const device of ['d1', 'd2']) answered(watch, device, HANDSHAKE_PATH, 200)
  watch.wentBack('d1')
  expect(['d1', 'd2'].map((device) => watch.isFollowing(device))).toEqual([false, true])
  answered(watch, 'd1', HANDSHAKE_PATH, 200)
  expect(watch.isFollowing('d1')).toBe(true)
  watch.wentBack()
  answered(watch, 'd1', HANDSHAKE_PATH, 401)
  answered(watch, 'd1', PULL_PATH, 200)
  expect(['d1', 'd2'].map((device) => watch.isFollowing(device))).toEqual([false, false])
  answered(watch, 'd1', HANDSHAKE_PATH, 200)
  expect(watch.isFollowing('d1')).toBe(true)
})

/** The reader has seen `n` when it was made. It was edited twice since, and the log has the second edit alone. */
function watchCompacted() {
  const history = new OracleHistory()
  const edits = ['made', 'first', 'second']
  const watch = new AnswerWatch(
    history.oracle.server,
    new Tally(),
    () => 0,
    () => {},
  )
  const accept = (i: number) => {
    const [before, after] = [edits[i - 1], edits[i] ?? '']
    history.writes('writer', before === undefined ? {} : { n: before }, { n: after })
    history.accepts('writer', EPOCH_STRIDE + i, { n: after })
  }
  const names = { dbId: 'db', deviceId: 'reader' }
  const pulled = (status: number, answer: Uint8Array) =>
    watch.look({
      device: 'd1',
      url: `https://sync.simulated${PULL_PATH}`,
      body: encodePullRequest({ ...names, sinceCursor: EPOCH_STRIDE + 1 }),
      status,
      answer,
    })
  const page = (nextCursor: number, entityVersions: readonly number[]) => {
    const ops = entityVersions.map((entityVersion) => ({
      ...{ dbId: 'db', deviceId: 'writer', opId: 1, collection: 'notes', entityId: 'n' },
      ...{ opType: 'PUT' as const, entityVersion, entityCbor: encodeEntity({ id: 'n' }) },
    }))
    return encodePullResponse({ ops, nextCursor, hasMore: false, head: nextCursor })
  }
  accept(0)
  pulled(200, page(EPOCH_STRIDE + 1, []))
  accept(1)
  accept(2)
  return { pulled, compacted: page(EPOCH_STRIDE + 3, [EPOCH_STRIDE + 3]) }
}

test('a page lacks what was replaced since the device saw all -> it keeps up, and must have it', () => {
  const { pulled, compacted } = watchCompacted()
  expect(() => pulled(200, compacted)).toThrow('keeps up')
})

test('the same, and the device was told to begin again -> it may lack it', () => {
  const { pulled, compacted } = watchCompacted()
  pulled(410, encodeErrorResponse({ code: 'cursor_expired', message: 'begin again' }))
  pulled(200, compacted)
})
