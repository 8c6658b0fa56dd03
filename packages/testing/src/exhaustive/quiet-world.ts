/** Drives a world by hand: everything that happens by itself happens, and then it waits for what is done to it next. */
import { randomFor } from '../kernel/random-streams.ts'
import { settle } from '../kernel/virtual-time.ts'
import type { SimulatedDevice } from '../world/device.ts'
import type { World } from '../world/world.ts'

/** Flushes and pauses of a device end by then; its timeouts do not. */
const QUIET_MS = 400
/** What reads files needs some of the host's turns, and none of the world's time. */
const TURNS_MAX = 100

/** Everything that happens by itself has happened. */
export async function quiet(world: World): Promise<void> {
  await settle()
  while (await world.step(world.time.nowMs + QUIET_MS)) {}
}

/** Every device has what the application begins with. */
export async function beginQuietly(world: World): Promise<void> {
  const { server, devices, application } = world
  world.isAutomatic = false
  server.boot()
  for (const device of devices) void device.boot().catch((error: unknown) => world.fail(error))
  await quiet(world)
  const [first] = devices
  if (first !== undefined && application.setUp !== undefined) {
    const run = application.setUp.bind(application)
    await inWorld(world, first.act('setUp', { run }, randomFor(1, 'setUp'), 'setUp'))
  }
  for (const device of devices) await inWorld(world, syncOf(device))
  world.isSetUp = true
}

/** One `sync()` of the device. That it fails is told by an event, and it is tried again at the end. */
export async function syncOf(device: SimulatedDevice): Promise<void> {
  await device.sync?.sync().catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error)) throw error
  })
}

/** Waits for `work`, while everything happens that happens by itself. */
export async function inWorld(world: World, work: Promise<unknown>): Promise<void> {
  let isDone = false
  work.then(
    () => {
      isDone = true
    },
    (error: unknown) => world.fail(error),
  )
  for (let turns = 0; !isDone; turns++) {
    await settle()
    const goesOn = await world.step(world.time.nowMs + QUIET_MS)
    if (goesOn) turns = 0
    else if (turns > TURNS_MAX) throw new Error('it does not end')
  }
}
