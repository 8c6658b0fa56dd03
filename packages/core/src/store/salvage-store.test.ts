/** Salvage of stores that were damaged at every kind of place, compared with what must survive. */
import { describe, expect, test } from 'vitest'
import { EntiDBError } from '../errors/entidb-error.ts'
import { createMemoryFileSystem } from '../files/memory-file-system.ts'
import { compareBytes } from './bytes.ts'
import { crc32 } from './checksum.ts'
import { DATA_FILE, walFileName, walGenerationOf } from './format.ts'
import { Random } from './random.ts'
import { ORPHAN_PREFIX } from './salvage-orphans.ts'
import type { StoreLoss } from './salvage-part.ts'
import { salvageStore } from './salvage-store.ts'
import { diskWith, SimulatedDisk } from './simulated-disk.ts'
import type { SimulatedMount } from './simulated-mount.ts'
import { hex, readState, type State } from './store-check.test-kit.ts'
import { bytesOf, write } from './store-conformance-support.ts'
import { tinySettings, Workload } from './store-workload.test-kit.ts'
import { openTreeStore } from './tree-store.ts'

type Image = ReadonlyMap<string, Uint8Array>

interface Salvaged {
  readonly state: Map<string, Map<string, string>>
  readonly losses: readonly StoreLoss[]
}

/** Everything that is got out, put together as a new store would. */
async function salvageFrom(mount: SimulatedMount, tables?: readonly string[]): Promise<Salvaged> {
  const state: Salvaged['state'] = new Map()
  const losses: StoreLoss[] = []
  const tableOf = (name: string) => {
    const table = state.get(name) ?? new Map<string, string>()
    state.set(name, table)
    return table
  }
  let progress = { done: 0, total: 0 }
  const parts = salvageStore(mount, crc32, {
    wants: (table) => tables?.includes(table) ?? true,
    onProgress: (step) => {
      expect(step.done).toBeGreaterThanOrEqual(progress.done)
      progress = step
    },
  })
  for await (const part of parts) {
    if (part.kind === 'loss') losses.push(part.loss)
    else if (part.kind === 'entries') {
      for (const [i, key] of part.keys.entries()) {
        tableOf(part.table).set(hex(key), hex(part.values[i] ?? new Uint8Array(0)))
      }
    } else {
      for (const change of part.changes) {
        if (change.kind === 'put') tableOf(change.table).set(hex(change.key), hex(change.value))
        else if (change.kind === 'delete') tableOf(change.table).delete(hex(change.key))
        else if (change.kind === 'clear') tableOf(change.table).clear()
      }
    }
  }
  expect(progress.done).toBe(progress.total)
  for (const [name, table] of state) if (table.size === 0) state.delete(name)
  return { state, losses }
}

const salvageImage = (image: Image, tables?: readonly string[]) =>
  salvageFrom(diskWith(new Random(1), image).mount(), tables)

/** A store after random work: closed, or as a killed process left it, with a log. */
async function used(seed: number, isClosed: boolean) {
  const random = new Random(seed)
  const disk = new SimulatedDisk(random)
  const settings = tinySettings(random)
  const store = await openTreeStore(disk.mount(), settings)
  const workload = new Workload(random)
  await workload.run(store, 60)
  const snapshot = store.snapshot()
  const state = await readState(snapshot)
  snapshot.release()
  if (isClosed) await store.close()
  return { image: disk.image(), state, workload }
}

function changed(image: Image, name: string, change: (bytes: Uint8Array) => void): Image {
  const bytes = image.get(name)?.slice() ?? new Uint8Array(0)
  change(bytes)
  return new Map(image).set(name, bytes)
}

function flip(bytes: Uint8Array, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ 0x21
}

const logOf = (image: Image): string =>
  [...image.keys()]
    .filter((name) => walGenerationOf(name) !== undefined)
    .sort()
    .at(-1) ?? ''

function covers({ table, key, low, high }: StoreLoss, name: string, entry: Uint8Array): boolean {
  if (table !== name) return false
  if (key !== undefined) return compareBytes(key, entry) === 0
  const isAbove = low === undefined || compareBytes(low, entry) <= 0
  return isAbove && (high === undefined || compareBytes(entry, high) < 0)
}

/** What is there is right, and what is missing was told. */
function expectSurvivors({ state, losses }: Salvaged, truth: State): void {
  for (const [name, table] of state) {
    for (const [key, value] of table) expect(truth.get(name)?.get(key)).toBe(value)
  }
  for (const [name, table] of truth) {
    for (const key of table.keys()) {
      const isThere = state.get(name)?.has(key) === true
      const isTold = losses.some((loss) => covers(loss, name, Buffer.from(key, 'hex')))
      expect(isThere || isTold, `${name} ${key}`).toBe(true)
    }
  }
}

describe('salvage', () => {
  test('healthy, closed or with a log -> everything, no loss, not a byte changed', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { image, state } = await used(seed, seed % 2 === 0)
      const disk = diskWith(new Random(1), image)
      expect(await salvageFrom(disk.mount())).toEqual({ state, losses: [] })
      expect(disk.image()).toEqual(image)
    }
  })

  test('tables that nobody wants -> left out', async () => {
    const { image, state } = await used(2, true)
    const { state: found } = await salvageImage(image, ['a'])
    expect(found).toEqual(new Map([['a', state.get('a')]]))
  })

  test.each([
    ['closed', true],
    ['with a log', false],
  ])(
    '%s, a byte of each unit changed -> what is not below it survives, the rest is told',
    async (_, isClosed) => {
      const kinds = new Set<string>()
      for (let seed = 1; seed <= 3; seed++) {
        const { image, state, workload } = await used(seed, isClosed)
        const size = image.get(DATA_FILE)?.length ?? 0
        for (let at = 8192 + 30; at < size; at += 512) {
          const damaged = changed(image, DATA_FILE, (bytes) => flip(bytes, at))
          const salvaged = await salvageImage(damaged)
          for (const { what } of salvaged.losses) kinds.add(what)
          if (salvaged.losses.some(({ what }) => what === 'tables')) {
            // An older list of tables, or none: every entry is one that was there once.
            for (const [name, table] of salvaged.state) {
              if (name.startsWith(ORPHAN_PREFIX)) continue
              for (const [key, value] of table) {
                const was = workload.states.some((old) => old.get(name)?.get(key) === value)
                expect(was).toBe(true)
              }
            }
          } else if (isClosed) {
            expect(salvaged.losses.length).toBeLessThan(2)
            expectSurvivors(salvaged, state)
          }
        }
      }
      expect(kinds).toEqual(new Set(['entries', 'value', 'tables', 'commits']))
    },
  )

  test.each([
    ['their checksums', [508, 4604]],
    ['their magic', [0, 4096]],
  ])('both superblocks damaged: %s -> everything, also from the log', async (_, offsets) => {
    for (let seed = 1; seed <= 6; seed++) {
      const { image, state } = await used(seed, seed % 2 === 0)
      const damaged = changed(image, DATA_FILE, (bytes) => {
        for (const offset of offsets) flip(bytes, offset)
      })
      const salvaged = await salvageImage(damaged)
      expect(salvaged.losses).toEqual([
        { what: 'tables', file: DATA_FILE, offset: 0, message: expect.any(String) },
      ])
      expect(salvaged.state).toEqual(state)
    }
  })

  test('both superblocks damaged -> opening is corrupt and names the command', async () => {
    const { image } = await used(1, true)
    const damaged = changed(image, DATA_FILE, (bytes) => {
      flip(bytes, 100)
      flip(bytes, 4196)
    })
    const opening = openTreeStore(
      diskWith(new Random(1), damaged).mount(),
      tinySettings(new Random(1)),
    )
    await expect(opening).rejects.toMatchObject({ code: 'corrupt' })
    await expect(opening).rejects.toThrow('entidb salvage')
  })

  test('data file cut off at any length -> what is left of it, or not_a_database', async () => {
    const { image, workload } = await used(4, true)
    const whole = image.get(DATA_FILE) ?? new Uint8Array(0)
    for (let size = 0; size < whole.length; size += 700) {
      const cut = new Map([[DATA_FILE, whole.slice(0, size)]])
      const salvaged = await salvageImage(cut).catch((error: unknown) => error)
      if (salvaged instanceof EntiDBError) {
        expect([salvaged.code, size]).toEqual(['not_a_database', 0])
        continue
      }
      // Told by the type of what is no error.
      const { state, losses } = salvaged as Salvaged
      // Only the last units may have been free.
      if (size < whole.length / 2) expect(losses.length).toBeGreaterThan(0)
      for (const [name, table] of state) {
        if (name.startsWith(ORPHAN_PREFIX)) continue
        for (const [key, value] of table) {
          expect(workload.states.some((old) => old.get(name)?.get(key) === value)).toBe(true)
        }
      }
    }
  })

  test('both superblocks damaged, and a sector that the disk cannot read -> as damage of it alone', async () => {
    const { image } = await used(5, true)
    const headless = changed(image, DATA_FILE, (bytes) => [100, 4196].map((at) => flip(bytes, at)))
    const sectors = Math.ceil((image.get(DATA_FILE)?.length ?? 0) / 512)
    for (let sector = 16; sector < sectors; sector++) {
      const damaged = changed(headless, DATA_FILE, (bytes) =>
        bytes.fill(0xff, sector * 512, (sector + 1) * 512),
      )
      const { state } = await salvageFrom(withBadSector(headless, DATA_FILE, sector))
      expect(state).toEqual((await salvageImage(damaged)).state)
    }
  })

  test('a place that the disk cannot read -> as damage', async () => {
    const { image, state } = await used(5, true)
    let reads = 0
    let count = 1
    for (let failing = 4; reads < count; failing += 3) {
      reads = failing
      const failure = (operation: string, _: string, n: number) => {
        count = n
        return operation === 'read' && n === failing
          ? new EntiDBError('io_failed', 'simulated')
          : undefined
      }
      const mount = diskWith(new Random(1), image).mount({ failure })
      // Superblocks that cannot be read are for the caller to try again.
      const salvaged = await salvageFrom(mount).catch((error: unknown) => error)
      if (salvaged instanceof EntiDBError) expect(salvaged.code).toBe('io_failed')
      else if (!(salvaged as Salvaged).losses.some(({ what }) => what === 'tables')) {
        expectSurvivors(salvaged as Salvaged, state)
      }
    }
  })
})

/** A disk with these files that cannot read one sector of one of them. */
function withBadSector(image: Image, name: string, sector: number): SimulatedMount {
  let isBad = false
  return diskWith(new Random(1), image).mount({
    onRead: (file, offset, length) => {
      isBad = file === name && offset < (sector + 1) * 512 && offset + length > sector * 512
    },
    failure: (operation) =>
      operation === 'read' && isBad ? new EntiDBError('io_failed', 'simulated') : undefined,
  })
}

/** Commit `n` puts the key `n` and makes `last` say so; all are in the log. */
async function logged(commits: number) {
  const disk = new SimulatedDisk(new Random(1))
  const settings = { ...tinySettings(new Random(1)), walCheckpointBytes: 1e9 }
  const store = await openTreeStore(disk.mount(), settings)
  const offsets: number[] = []
  for (let n = 1; n <= commits; n++) {
    offsets.push(512 + store.stats().walBytes)
    await write(store, async (tx) => {
      await tx.put('t', bytesOf(`${n}`), new Uint8Array(50).fill(n))
      await tx.put('t', bytesOf('last'), bytesOf(`${n}`))
    })
  }
  return { image: disk.image(), offsets, bytes: 512 + store.stats().walBytes }
}

describe('salvage of a damaged log', () => {
  const keysOf = ({ state }: Salvaged) =>
    [...(state.get('t')?.keys() ?? [])]
      .map((key) => Buffer.from(key, 'hex').toString())
      .filter((key) => key !== 'last')
      .map(Number)
      .sort((a, b) => a - b)
  const lastOf = ({ state }: Salvaged) =>
    Buffer.from(state.get('t')?.get(hex(bytesOf('last'))) ?? '', 'hex').toString()

  test('any byte of it changed -> the commits of all other frames, and the lost ones are told', async () => {
    const { image, offsets, bytes } = await logged(8)
    const log = logOf(image)
    for (let at = 512; at < bytes; at += 3) {
      const salvaged = await salvageImage(changed(image, log, (content) => flip(content, at)))
      const hit = offsets.filter((offset) => offset <= at).length
      expect(keysOf(salvaged)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].filter((n) => n !== hit))
      expect(lastOf(salvaged)).toBe(hit === 8 ? '7' : '8')
      const [damage, lost, ...more] = salvaged.losses
      expect(more).toEqual([])
      expect(damage).toMatchObject({ what: 'commits', file: log, offset: offsets[hit - 1] })
      if (hit < 8) expect(lost?.message).toContain(`commit ${hit} is lost`)
    }
  })

  test('any sector of it that the disk cannot read -> the commits of all other frames, and it is told', async () => {
    const { image, offsets, bytes } = await logged(30)
    const log = logOf(image)
    for (let sector = 1; sector * 512 < bytes; sector++) {
      const salvaged = await salvageFrom(withBadSector(image, log, sector))
      const whole = offsets.flatMap((offset, i) => {
        const end = offsets[i + 1] ?? bytes
        return end <= sector * 512 || offset >= (sector + 1) * 512 ? [i + 1] : []
      })
      expect(keysOf(salvaged)).toEqual(whole)
      expect(salvaged.losses[0]).toMatchObject({ what: 'commits', file: log })
    }
  })

  test('its header changed -> told, and every commit is there', async () => {
    const { image } = await logged(5)
    const log = logOf(image)
    for (const at of [0, 9, 13, 20, 33, 41, 61]) {
      const salvaged = await salvageImage(changed(image, log, (content) => flip(content, at)))
      expect(keysOf(salvaged)).toEqual([1, 2, 3, 4, 5])
      expect(salvaged.losses).toMatchObject([{ what: 'commits', file: log, offset: 0 }])
    }
  })

  test('two frames exchanged -> the earlier one is not put over the later one', async () => {
    const { image, offsets } = await logged(6)
    const [first = 0, second = 0, third = 0] = offsets.slice(2)
    const salvaged = await salvageImage(
      changed(image, logOf(image), (content) => {
        const frame = content.slice(first, second)
        content.copyWithin(first, second, third)
        content.set(frame, first + third - second)
      }),
    )
    expect(keysOf(salvaged)).toEqual([1, 2, 4, 5, 6])
    expect(lastOf(salvaged)).toBe('6')
    expect(salvaged.losses).toMatchObject([{ what: 'commits', message: expect.any(String) }])
  })

  test('cut off -> what is before; commits that were stored and are missing are told', async () => {
    const { image, offsets } = await logged(6)
    const log = logOf(image)
    const cut = new Map(image).set(
      log,
      image.get(log)?.slice(0, (offsets[4] ?? 0) + 20) ?? new Uint8Array(0),
    )
    const salvaged = await salvageImage(cut)
    expect(keysOf(salvaged)).toEqual([1, 2, 3, 4])
    expect(salvaged.losses).toMatchObject([{ what: 'commits', file: log, offset: offsets[4] }])
  })

  test('data file missing -> what is in the log, and that is told', async () => {
    const { image } = await logged(6)
    const log = logOf(image)
    const salvaged = await salvageImage(new Map([[log, image.get(log) ?? new Uint8Array(0)]]))
    expect(keysOf(salvaged)).toEqual([1, 2, 3, 4, 5, 6])
    expect(salvaged.losses).toMatchObject([{ what: 'tables', file: DATA_FILE }])
  })

  test('the log missing -> what is in the tree', async () => {
    const { image } = await logged(6)
    const salvaged = await salvageImage(
      new Map([[DATA_FILE, image.get(DATA_FILE) ?? new Uint8Array(0)]]),
    )
    expect(keysOf(salvaged)).toEqual([])
  })

  test.each([
    ['as they are', []],
    ['with both superblocks damaged', [100, 4196]],
  ])(
    'a log that was removed is back, %s -> commits whose numbers were given again do not count',
    async (_, offsets) => {
      const { image, offsets: frames } = await logged(4)
      const old = logOf(image)
      const content = image.get(old) ?? new Uint8Array(0)
      // As if the last two frames had not been flushed when the power was lost.
      const cut = new Map(image).set(old, content.slice().fill(0, frames[2]))
      const disk = diskWith(new Random(1), cut)
      const settings = { ...tinySettings(new Random(3)), walCheckpointBytes: 1e9 }
      const store = await openTreeStore(disk.mount(), settings)
      expect(store.recovery.lastLsn).toBe(2)
      await write(store, (tx) => tx.put('t', bytesOf('30'), bytesOf('x')))
      const found = changed(new Map(disk.image()).set(old, content), DATA_FILE, (bytes) => {
        for (const offset of offsets) flip(bytes, offset)
      })
      const salvaged = await salvageImage(found)
      expect(keysOf(salvaged)).toEqual([1, 2, 30])
      expect(lastOf(salvaged)).toBe('2')
    },
  )

  test('a log of another store -> left out, and that is told', async () => {
    const { image } = await logged(2)
    const disk = new SimulatedDisk(new Random(77))
    // It begins with LSN 1, as ours does.
    const other = await openTreeStore(disk.mount(), tinySettings(new Random(77)))
    await write(other, (tx) => tx.put('t', bytesOf('a'), bytesOf('1')))
    const foreign = disk.content(walFileName(1))
    const salvaged = await salvageImage(new Map(image).set(walFileName(99), foreign))
    expect(keysOf(salvaged)).toEqual([1, 2])
    expect(salvaged.losses).toMatchObject([{ what: 'commits', file: walFileName(99), offset: 0 }])
  })

  test('a value that holds a copy of the log, behind damage -> read as a value', async () => {
    const { image, offsets } = await logged(4)
    const log = logOf(image)
    const content = image.get(log) ?? new Uint8Array(0)
    const disk = diskWith(new Random(1), image)
    const store = await openTreeStore(disk.mount(), {
      ...tinySettings(new Random(2)),
      walCheckpointBytes: 1e9,
    })
    await write(store, (tx) => tx.put('t', bytesOf('5'), content.slice(0, 3000)))
    await write(store, (tx) => tx.put('t', bytesOf('6'), bytesOf('x')))
    const after = disk.image()
    const damaged = changed(after, logOf(after), (bytes) => flip(bytes, 520))
    const salvaged = await salvageImage(damaged)
    // Frame 5 is lost. Those in its value are of another log.
    expect(keysOf(salvaged)).toEqual([1, 2, 3, 4, 6])
    expect(lastOf(salvaged)).toBe('4')
    expect(offsets.length).toBe(4)
  })
})

describe('salvage refuses', () => {
  test.each([
    ['no files', new Map()],
    ['an empty data file', new Map([[DATA_FILE, new Uint8Array(0)]])],
    ['zeros', new Map([[DATA_FILE, new Uint8Array(20_000)]])],
    ['noise', new Map([[DATA_FILE, new Random(3).bytes(20_000)]])],
    ['an empty log', new Map([[walFileName(1), new Uint8Array(2000)]])],
  ])('%s -> not_a_database', async (_, image: Image) => {
    await expect(salvageImage(image)).rejects.toMatchObject({ code: 'not_a_database' })
  })

  test('a newer format -> format_too_new', async () => {
    const { image } = await used(1, true)
    const newer = changed(image, DATA_FILE, (bytes) => {
      bytes[8] = 2
    })
    await expect(salvageImage(newer)).rejects.toMatchObject({ code: 'format_too_new' })
  })

  test('in use -> database_locked; ended early -> free again', async () => {
    const fileSystem = createMemoryFileSystem()
    const store = await openTreeStore(fileSystem, { durability: 'strict' })
    await write(store, (tx) => tx.put('t', bytesOf('a'), bytesOf('b')))
    await expect(salvageStore(fileSystem, crc32).next()).rejects.toMatchObject({
      code: 'database_locked',
    })
    await store.close()
    const parts = salvageStore(fileSystem, crc32)
    await parts.next()
    await parts.return()
    await (await openTreeStore(fileSystem, { durability: 'strict' })).close()
  })
})
