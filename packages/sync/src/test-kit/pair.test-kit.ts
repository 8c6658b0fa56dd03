/** Devices against one model server, closed after each test. */
import { afterEach, expect } from 'vitest'
import type { SyncConfig } from '../config.ts'
import { sameBytes } from '../same-bytes.ts'
import { Device, type DeviceOptions } from './device.test-kit.ts'
import type { ModelOptions } from './model-database.test-kit.ts'
import { ModelServer } from './model-server.test-kit.ts'

let open: Device[] = []

afterEach(async () => {
  await Promise.all(open.map((device) => device.close()))
  open = []
})

export async function openDevice(
  server: ModelServer,
  config: Partial<SyncConfig> = {},
  limits: DeviceOptions['limits'] = {},
): Promise<Device> {
  const device = await Device.open({ fetch: server.fetch, config, limits })
  open.push(device)
  return device
}

export interface Pair {
  readonly server: ModelServer
  readonly a: Device
  readonly b: Device
}

export async function openPair(
  config: Partial<SyncConfig> = {},
  options: ModelOptions = {},
): Promise<Pair> {
  const server = new ModelServer(options)
  return { server, a: await openDevice(server, config), b: await openDevice(server, config) }
}

/** Every device holds exactly the server's live entities, and nothing is left to do. */
export async function expectConverged(
  server: ModelServer,
  ...devices: readonly Device[]
): Promise<void> {
  const live = server.database.live()
  for (const device of devices) {
    const contents = await device.contents()
    expect([...contents.keys()].sort()).toEqual([...live.keys()].sort())
    for (const [key, bytes] of contents) {
      // Slow to compare one by one.
      if (!sameBytes(bytes, live.get(key) ?? null)) expect(bytes).toEqual(live.get(key))
    }
    expect(device.sync.status).toMatchObject({ pending: 0, held: 0 })
  }
}
