/** The checks that have to notice deliberate bugs: those of the tests beside this folder, with less by chance. */
import type { Durability } from '../../key-value-store.ts'
import { bytesRead, expectNothingWrong, flipped } from '../bit-rot.test-kit.ts'
import { crashEverywhere } from '../crash-everywhere.test-kit.ts'
import { fillDiskEverywhere } from '../disk-full.test-kit.ts'
import { failEverywhere } from '../failures.test-kit.ts'
import { expectFrameOrderKept } from '../frame-order.test-kit.ts'
import type { Script } from '../scripted-run.test-kit.ts'
import { checkpoints, closing, commits, snapshots } from '../scripts.test-kit.ts'
import { smallFiles } from '../small-files.test-kit.ts'

const command = 'npx vitest run packages/core/src/store/proof/mutants'

async function crash(
  name: string,
  script: Script,
  durability: Durability,
  sameBootStride: number,
): Promise<void> {
  await crashEverywhere(name, script, {
    durability,
    isAsynchronous: false,
    samples: 1,
    recoveryStride: 100,
    sameBootStride,
    command,
  })
}

async function bitRot(): Promise<void> {
  for (const small of await smallFiles()) {
    for (const [index, { file, offset }] of (await bytesRead(small)).entries()) {
      if (index % 3 > 0) continue
      await expectNothingWrong(small, flipped(small.files, file, offset, 1 << (index % 8)))
    }
  }
}

async function failingDisk(): Promise<void> {
  const operations = ['flush', 'write', 'read']
  const failing = { operations, duration: 1, isAsynchronous: false, command } as const
  await failEverywhere('commits', commits, { code: 'io_failed', ...failing })
}

async function fullDisk(): Promise<void> {
  for (const needsSpace of ['what grows', 'every write'] as const) {
    await fillDiskEverywhere({ needsSpace, patience: 1, isAsynchronous: false, command })
  }
}

/** Each throws what it noticed. */
export const checks = {
  'crash, commits': () => crash('commits', commits, 'strict', 3),
  'crash, checkpoints': () => crash('checkpoints', checkpoints, 'strict', 12),
  'crash, relaxed checkpoints': () => crash('checkpoints', checkpoints, 'relaxed', 25),
  'crash, closing': () => crash('closing', closing, 'strict', 6),
  'crash, snapshots': () => crash('snapshots', snapshots, 'strict', 25),
  'failing disk': failingDisk,
  'full disk': fullDisk,
  'frame order': expectFrameOrderKept,
  'bit rot': bitRot,
} as const

export type CheckName = keyof typeof checks
