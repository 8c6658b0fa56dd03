/** Small scripts in which each operation of the disk fails in its turn. */
import { describe, expect, test } from 'vitest'
import { fillDiskEverywhere } from './disk-full.test-kit.ts'
import { failEverywhere } from './failures.test-kit.ts'
import { isReplay, replayed } from './replay.test-kit.ts'
import { scripts } from './scripts.test-kit.ts'

const command = (title: string): string =>
  `npx vitest run packages/core/src/store/proof/failures.test.ts -t '${title}'`

const everything = ['open', 'list', 'rename', 'remove', 'flushDirectory', 'read', 'write'].concat([
  'truncate',
  'flush',
])

describe.each([
  ['any operation fails once', 'io_failed', everything, 1, false],
  ['every operation fails from one on', 'io_failed', everything, Number.POSITIVE_INFINITY, false],
  ['any operation fails once, files that answer later', 'io_failed', everything, 1, true],
  ['a flush finds no space', 'disk_full', ['flush'], 1, false],
] as const)('failure, %s', (how, code, operations, duration, isAsynchronous) => {
  test.each(Object.entries(scripts))(
    'script %s -> a documented error, and all that was acknowledged after it',
    async (name, script) => {
      const failures = await failEverywhere(name, script, {
        code,
        operations,
        duration,
        isAsynchronous,
        command: command(`${how} script ${name}`),
        ...replayed(),
      })
      if (!isReplay) expect(failures).toBeGreaterThan(10)
    },
  )
})

describe.each([
  ['what grows', 1],
  ['what grows', 3],
  ['every write', 1],
  ['every write', 3],
] as const)('disk full for %s', (needsSpace, patience) => {
  test.each([
    ['at once', false],
    ['later', true],
  ])(
    `from each write on, for ${patience} attempts, files that answer %s -> disk_full, nothing applied, and on with room`,
    async (when, isAsynchronous) => {
      const writes = await fillDiskEverywhere({
        needsSpace,
        patience,
        isAsynchronous,
        command: command(
          `disk full for ${needsSpace} from each write on, for ${patience} attempts, files that answer ${when}`,
        ),
        ...replayed(),
      })
      if (!isReplay) expect(writes).toBeGreaterThan(15)
    },
  )
})
