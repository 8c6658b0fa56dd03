import { describe, expect, test } from 'vitest'
import { type CollectionState, createCollectionState } from './collection-state.ts'
import { EntityCache } from './entity-cache.ts'
import { type LiveFollower, LiveQueries } from './live-queries.ts'
import { ChangeRecorder } from './record-changes.ts'

function stateOf(name: string): CollectionState {
  const spec = { schemaVersion: 1, indexes: {} }
  const cache = new EntityCache(1000).collection()
  return createCollectionState({
    ...{
      name,
      spec,
      cache,
      code: undefined,
      isDefined: true,
      maxIdBytes: 512,
      maxEntityBytes: 1024,
    },
  })
}

function followerOf(collection: string) {
  const failures: unknown[] = []
  const follower: LiveFollower = {
    collection,
    demands: { conditions: [], alternatives: [] },
    take: () => undefined,
    fail: (error) => failures.push(error),
    end: () => {},
  }
  return { follower, failures }
}

describe('commits on their way to live queries', () => {
  test('a record that nobody can decode -> its collection fails, the commit and the others do not', () => {
    const live = new LiveQueries()
    const [things, others] = [followerOf('things'), followerOf('others')]
    live.add(things.follower)
    live.add(others.follower)
    const recorder = new ChangeRecorder(live)
    recorder.note(stateOf('things'), '1', undefined, new Uint8Array([0, 0, 1, 1, 0xff]))
    live.deliver(live.handOver(recorder.finish(1), Promise.resolve()))
    expect([things.failures.length, others.failures.length]).toEqual([1, 0])
  })

  test('no live query -> nothing is recorded, and it is known where', () => {
    const live = new LiveQueries()
    const recorder = new ChangeRecorder(live)
    const [things, others] = [stateOf('things'), stateOf('others')]
    recorder.note(things, '1', undefined, new Uint8Array(1))
    live.add(followerOf('things').follower)
    live.add(followerOf('others').follower)
    recorder.note(others, '1', undefined, new Uint8Array(1))
    recorder.note(things, '2', undefined, new Uint8Array(1))
    const { changesByCollection, unrecorded } = recorder.finish(2)
    expect([...changesByCollection.keys()]).toEqual(['others'])
    expect([...unrecorded]).toEqual(['things'])
  })
})
