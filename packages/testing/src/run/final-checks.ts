/** What must hold when nothing is left to do. */
import type { SettledFate } from '@entidb/sync'
import { isSameWritten } from '../oracle/contents.ts'
import type { LocalTransaction } from '../oracle/local-transaction.ts'
import type { Oracle } from '../oracle/oracle.ts'
import { Violation } from '../oracle/violation.ts'
import type { SimulatedDevice } from '../world/device.ts'
import type { World } from '../world/world.ts'
import { fatesOf } from './fates.ts'

/** Rows that the change feed of an idle device may still hold: it is emptied some rows at a time. */
const FEED_ROWS_MAX = 50

export async function assertAllWell(world: World): Promise<void> {
  for (const device of world.devices) {
    await assertSame(world, device)
    await device.assertReads()
  }
  await world.server.assertDigest()
  await world.server.assertLog()
  world.oracle.assertNothingLost()
  for (const device of world.devices) {
    await assertLedger(world, device)
    const rows = await device.feedLength()
    if (rows > FEED_ROWS_MAX) throw new Violation(`${device.name} still has ${rows} rows to push`)
  }
}

/** The same bytes under the same revisions as the server. */
async function assertSame({ oracle }: World, device: SimulatedDevice): Promise<void> {
  const live = oracle.server.live()
  const contents = await device.contents()
  for (const key of new Set([...live.keys(), ...contents.keys()])) {
    const [here, there] = [contents.get(key), live.get(key)]
    if (!isSameWritten(here, there?.node.written)) {
      throw new Violation(
        `${device.view.node(key)} on ${device.name}, ${there?.node} on the server`,
      )
    }
    if (here?.version !== there?.revision) {
      throw new Violation(
        `${key} is ${here?.version} on ${device.name} and ${there?.revision} on the server`,
      )
    }
  }
}

/** Every transaction has a fate, and it is the true one. */
async function assertLedger(world: World, device: SimulatedDevice): Promise<void> {
  for (const [transaction, fate] of await fatesOf(world, device)) {
    assertFate(world.oracle, transaction, fate)
  }
}

function assertFate(
  oracle: Oracle,
  { name, device, writes }: LocalTransaction,
  fate: SettledFate | undefined,
): void {
  if (fate === undefined) throw new Violation(`'${name}' of ${device} has no fate yet`)
  if (fate.fate !== 'committed' || oracle.serverWasRestored) return
  const missing = writes.find((node) => !oracle.server.hasReached(node))
  if (missing !== undefined) {
    throw new Violation(`'${name}' of ${device} is called committed, and ${missing} never was`)
  }
}
