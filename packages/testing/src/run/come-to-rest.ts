/** Everything is let through, and the world has to come to rest: soon, and without being pushed. */

import { Violation } from '../oracle/violation.ts'
import type { SimulatedDevice } from '../world/device.ts'
import type { World } from '../world/world.ts'

/** Virtual time in which every device has to be idle. */
const REST_MS_MAX = 15 * 60_000
/** Events in which it has to be: a hot loop has many more. */
const REST_EVENTS_MAX = 60_000
/** How often people look whether there is something to decide. */
const DECIDE_EVERY_MS = 2_000

export async function comeToRest(world: World): Promise<void> {
  const { network, server, devices, time, log } = world
  log.write('run', 'heals')
  network.heal()
  for (const machine of [server, ...devices]) {
    machine.crashIn(undefined)
    machine.clockOffsetMs = 0
  }
  server.boot()
  for (const device of devices) void device.boot().catch((error: unknown) => world.fail(error))
  const endMs = time.nowMs + REST_MS_MAX
  const eventsMax = time.events + REST_EVENTS_MAX
  decideNowAndThen(world)
  while (!isAtRest(world)) {
    if (!(await world.step(endMs)) || time.events > eventsMax) {
      const where = devices.map(describe).join('; ')
      throw new Violation(
        `no rest after ${REST_MS_MAX} ms: ${where}; head ${world.oracle.server.head}`,
      )
    }
  }
  log.write('run', 'is at rest')
}

function isAtRest({ devices, oracle, answers }: World): boolean {
  return devices.every((device) => {
    const status = device.sync?.status
    return (
      device.isReady &&
      device.acting === 0 &&
      status?.phase === 'idle' &&
      status.pending === 0 &&
      status.held === 0 &&
      status.cursor === oracle.server.head &&
      answers.isFollowing(device.name)
    )
  })
}

function decideNowAndThen(world: World): void {
  const decide = async (): Promise<void> => {
    for (const device of world.devices) {
      if ((device.sync?.status.held ?? 0) === 0) continue
      await device.decideConflicts()
      await device.discardRejections()
    }
  }
  world.time.after(DECIDE_EVERY_MS, () => {
    decide().catch((error: unknown) => world.fail(error))
    decideNowAndThen(world)
  })
}

function describe({ name, sync, acting, isReady }: SimulatedDevice): string {
  const { phase, pending, held, cursor, lastError } = sync?.status ?? {}
  const work = `${acting} acting${isReady ? '' : ', not ready'}`
  return `${name} ${phase}, ${pending} pending, ${held} held, cursor ${cursor}, ${lastError?.code}, ${work}`
}
