/** An application with one entity, for tests of what the simulator says about applications. */
import { type CollectionDefinition, defineCollection } from '@entidb/core'
import type { ConflictResolver } from '@entidb/sync'
import type { Step, WorldConfig } from '../plan/plan.ts'
import type { Application } from './application.ts'

export interface Thing {
  readonly id: string
  readonly by: string
}

export const takeRemote: ConflictResolver = { resolve: () => ({ type: 'takeRemote' }) }

export const things: { readonly things: CollectionDefinition<Thing> } = {
  things: defineCollection<Thing>({}),
}

/** Its only action writes the only entity. */
export const smallApplication: Application = {
  collections: things,
  async setUp(tx) {
    await tx.collection('things').put({ id: 'x', by: 'setUp' })
  },
  actions: {
    edit: {
      async run(tx, { unique }) {
        await tx.collection('things').put({ id: 'x', by: unique })
      },
    },
  },
  resolvers: { only: takeRemote },
  decide: takeRemote,
}

/** A world of two devices in which nothing goes wrong by itself. */
export const calmWorld: WorldConfig = {
  devices: 2,
  versions: [1, 1],
  resolvers: ['only', 'only'],
  latencyMs: [10, 10],
  flushMs: [1, 1],
  faultRate: 0,
  maxOpsPerPush: 100,
  maxPullOps: 100,
  maxConflictBytes: 1_000_000,
  retentionMs: 90 * 24 * 3_600_000,
  pollIntervalMs: 3_000,
  stream: true,
  tokenLifeMs: 3_600_000,
}

export function act(atMs: number, device: string, action: string): Step {
  return { atMs, kind: 'act', device, action, dice: 1 }
}

/** Each edits what the other one edits: a conflict. */
export const bothEdit: readonly Step[] = [
  { atMs: 3_000, kind: 'partition', device: 'd2', forMs: 5_000 },
  act(4_000, 'd1', 'edit'),
  act(4_000, 'd2', 'edit'),
]
