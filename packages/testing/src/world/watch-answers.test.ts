import { HANDSHAKE_PATH, PULL_PATH } from '@entidb/protocol'
import { expect, test } from 'vitest'
import { Tally } from '../kernel/tally.ts'
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
