/** `entidb oplog`, `conflicts`, `devices`, `new-epoch` and `restore`, on the folder of a real server. */
import { writeFileSync } from 'node:fs'
import { EntiDB } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { EPOCH_STRIDE } from '@entidb/protocol'
import { serverCollections, sortableNumber } from '@entidb/server'
import { describe, expect, test } from 'vitest'
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE } from '../cli/exit-codes.ts'
import { runCli } from '../cli/run-cli.ts'
import { createTestEnvironment } from '../cli/test-environment.test-kit.ts'
import { makeNotes, temporaryPaths } from '../maintenance/database-directory.test-kit.ts'
import { dbId, operation, pushInto } from '../server-data/server-directory.test-kit.ts'

const path = temporaryPaths()
const FIRST = EPOCH_STRIDE + 1

/** `x` twice and `y` by the phone; of the laptop one conflict and `z`, deleted again. */
async function makeServer(): Promise<string> {
  await pushInto(
    path('server'),
    [operation('phone', 1, 'x', 0, 'a'), operation('phone', 2, 'y', 0, 'b')],
    [operation('phone', 3, 'x', FIRST, 'c')],
    [operation('laptop', 1, 'x', FIRST, 'late'), operation('laptop', 2, 'z', 0, 'd')],
    [operation('laptop', 3, 'z', FIRST + 3, null)],
  )
  return path(`server/${dbId}`)
}

async function run(...args: string[]) {
  const environment = createTestEnvironment()
  const code = await runCli(args, environment)
  return { code, output: environment.output(), errors: environment.errors() }
}

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { code, output, errors } = await run(...args, '--json')
  expect(errors).toBe('')
  expect(code).toBe(EXIT_OK)
  return JSON.parse(output)
}

describe('entidb oplog', () => {
  test('all -> newest first, with what each replaces', async () => {
    const { operations } = await json('oplog', await makeServer())
    expect(operations).toMatchObject([
      { cursor: FIRST + 4, entityId: 'z', opType: 'DELETE', deviceId: 'laptop', opId: 3, bytes: 0 },
      { cursor: FIRST + 3, entityId: 'z', opType: 'PUT', opId: 2 },
      { cursor: FIRST + 2, entityId: 'x', deviceId: 'phone', replaces: FIRST },
      { cursor: FIRST + 1, entityId: 'y' },
      { cursor: FIRST, entityId: 'x', collection: 'items', opId: 1 },
    ])
  })

  test('an id that a terminal would take for a command -> does no harm', async () => {
    await pushInto(path('server'), [operation('phone', 1, '\u001b[2Jx\n\u009b2Jy', 0, 'a')])
    const { code, output } = await run('oplog', path(`server/${dbId}`))
    expect(code).toBe(EXIT_OK)
    expect(output).toContain('[2Jx')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not come out
    expect(output).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  })

  test('filters, order and content -> only those, with their entities', async () => {
    const directory = await makeServer()
    const cursorsOf = async (...options: string[]) =>
      ((await json('oplog', directory, ...options)).operations as { cursor: number }[]).map(
        ({ cursor }) => cursor - FIRST,
      )
    expect(await cursorsOf('--device', 'phone', '--oldest-first')).toEqual([0, 1, 2])
    expect(await cursorsOf('--entity', 'x')).toEqual([2, 0])
    expect(await cursorsOf('--collection', 'others')).toEqual([])
    expect(await cursorsOf('--since', String(FIRST + 2))).toEqual([4, 3])
    const { operations } = await json('oplog', directory, '--content', '--limit', '2')
    expect(operations).toMatchObject([{ entity: null }, { entity: { id: 'z', value: 'd' } }])
  })

  test('pages -> --after goes on where the last one ended', async () => {
    const directory = await makeServer()
    const first = await json('oplog', directory, '--limit', '3')
    expect(first.operations).toHaveLength(3)
    const second = await json('oplog', directory, '--limit', '3', '--after', String(first.next))
    expect(second.operations).toMatchObject([{ cursor: FIRST + 1 }, { cursor: FIRST }])
    expect(second).not.toHaveProperty('next')
  })

  test('a table -> for people, which tells how to get more', async () => {
    const { output } = await run('oplog', await makeServer(), '--limit', '1')
    expect(output).toMatch(/cursor .*replaces/)
    expect(output).toContain('DELETE')
    expect(output).toContain('--after')
  })
})

describe('entidb conflicts', () => {
  test('all -> what was pushed, what was stored, and why', async () => {
    const { conflicts } = await json('conflicts', await makeServer())
    expect(conflicts).toMatchObject([
      {
        deviceId: 'laptop',
        opId: 1,
        entityId: 'x',
        base: FIRST,
        serverRevision: FIRST + 2,
        reason: 'stale',
        pushed: { id: 'x', value: 'late' },
        stored: { id: 'x', value: 'c' },
      },
    ])
  })

  test('a large state -> from the log; its length, when the log has it no more', async () => {
    const large = 'c'.repeat(5_000)
    await pushInto(
      path('server'),
      [operation('phone', 1, 'x', 0, large)],
      [operation('laptop', 1, 'x', 0, 'late')],
    )
    const directory = path(`server/${dbId}`)
    const conflict = { serverRevision: FIRST, pushed: { id: 'x', value: 'late' } }
    expect((await json('conflicts', directory)).conflicts).toMatchObject([
      { ...conflict, stored: { id: 'x', value: large } },
    ])
    const db = await EntiDB.open({
      storage: fileStorage(directory),
      collections: serverCollections,
    })
    await db.collection('server_oplog').delete(sortableNumber(FIRST))
    await db.close()
    const { conflicts } = await json('conflicts', directory)
    expect(conflicts).toMatchObject([{ ...conflict, storedBytes: 5_015 }])
    expect(conflicts).not.toMatchObject([{ stored: expect.anything() }])
  })

  test('filters -> only those; a table, and a word when there is none', async () => {
    const directory = await makeServer()
    expect((await run('conflicts', directory, '--device', 'laptop')).output).toContain('stale')
    const none = await run('conflicts', directory, '--device', 'phone')
    expect(none).toMatchObject({ code: EXIT_OK, output: 'No conflicts.\n' })
    expect((await run('conflicts', directory, '--entity', 'y')).output).toBe('No conflicts.\n')
  })
})

describe('entidb devices', () => {
  test('all -> how far they are, by when they were seen', async () => {
    const { devices } = await json('devices', await makeServer())
    expect(devices).toMatchObject([
      { deviceId: 'laptop', lastOpId: 3, floor: 3, conflicts: 1, isInEpoch: true },
      { deviceId: 'phone', lastOpId: 3, floor: 3, conflicts: 0, replicaId: null },
    ])
  })

  test('one, or those silent for long -> only those', async () => {
    const directory = await makeServer()
    expect((await json('devices', directory, '--device', 'phone')).devices).toHaveLength(1)
    expect((await json('devices', directory, '--silent-days', '0')).devices).toHaveLength(2)
    const { output } = await run('devices', directory, '--silent-days', '1')
    expect(output).toBe('No devices.\n')
    expect((await run('devices', directory)).output).toMatch(/device .*last opId/)
  })
})

describe('databases that are no server’s', () => {
  test.each(['oplog', 'conflicts', 'devices', 'new-epoch'])(
    '%s of an application, or of nothing -> not_a_database, and nothing is made',
    async (command) => {
      await makeNotes(path('db'), 1)
      for (const directory of [path('db'), path('absent')]) {
        const { code, errors } = await run(command, directory)
        expect(code).toBe(EXIT_FAILED)
        expect(errors).toContain('not_a_database')
      }
    },
  )

  test('the folder of all databases -> says which there are; a wrong number -> usage', async () => {
    await makeServer()
    expect((await run('oplog', path('server'))).errors).toContain(dbId)
    expect((await run('devices', path('server'), '--limit', 'x')).code).toBe(EXIT_USAGE)
  })
})

describe('entidb new-epoch', () => {
  test('a server database -> the head is raised past every revision that was ever given', async () => {
    const directory = await makeServer()
    const begun = await json('new-epoch', directory)
    expect(begun).toMatchObject({ dbId, firstCursor: FIRST + 5, head: 2 * EPOCH_STRIDE })
    const again = await json('new-epoch', directory)
    expect(again).toMatchObject({ firstCursor: 2 * EPOCH_STRIDE + 1, head: 3 * EPOCH_STRIDE })
    expect(again.epoch).not.toBe(begun.epoch)
    expect((await run('new-epoch', directory)).output).toContain('A new epoch of shop has begun')
  })
})

describe('entidb import', () => {
  test('into the folder of a server -> refused, nothing is made or changed', async () => {
    const directory = await makeServer()
    writeFileSync(path('rows.ndjson'), '{"id":"a"}')
    for (const words of [['entities'], ['mine', '--create']]) {
      const { code, errors } = await run('import', directory, ...words, path('rows.ndjson'))
      expect(code).toBe(EXIT_USAGE)
      expect(errors).toContain('of a sync server')
    }
    expect(await json('query', directory, 'entities', '--count')).toMatchObject({ count: 3 })
  })
})

describe('entidb restore', () => {
  test('a backup of a server database -> begins a new epoch; what was given after the backup is never given again', async () => {
    const directory = await makeServer()
    await run('backup', directory, path('shop.entidb'))
    const [lost] = await pushInto(path('server'), [operation('phone', 4, 'lost', 0, 'a')])
    const restored = await json('restore', path('shop.entidb'), path(`again/${dbId}`))
    expect(restored.epoch).toMatch(/^[0-9a-f]{32}$/)
    const [next] = await pushInto(path('again'), [operation('phone', 4, 'other', 0, 'a')])
    const revisionOf = (response: typeof next) => response?.committed?.[0]?.entityVersion ?? 0
    expect(revisionOf(next)).toBeGreaterThan(revisionOf(lost))
    const { operations } = await json('oplog', path(`again/${dbId}`), '--entity', 'lost')
    expect(operations).toEqual([])
  })

  test('a backup of an application’s database -> as before', async () => {
    await makeNotes(path('db'), 3)
    await run('backup', path('db'), path('copy'))
    expect(await json('restore', path('copy'), path('again'))).not.toHaveProperty('epoch')
  })
})
