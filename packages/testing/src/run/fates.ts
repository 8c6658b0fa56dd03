/** What the ledger of a device says of its transactions. */
import type { SettledFate } from '@entidb/sync'
import { settle } from '../kernel/virtual-time.ts'
import type { LocalTransaction } from '../oracle/local-transaction.ts'
import type { SimulatedDevice } from '../world/device.ts'
import type { World } from '../world/world.ts'

/** Reading the ledger takes its time, but not long. */
const LEDGER_MS_MAX = 10_000

/** Of all that were acknowledged and that its files know. Undefined: not settled. */
export async function fatesOf(
  world: World,
  device: SimulatedDevice,
): Promise<ReadonlyMap<LocalTransaction, SettledFate | undefined>> {
  const transactions = world.oracle.transactions
    .slice(device.ledgerFrom)
    .filter((each) => each.device === device.name && each.acknowledged)
  const fates = new Map<LocalTransaction, SettledFate | undefined>(
    transactions.map((each) => [each, undefined]),
  )
  let waiting = transactions.length
  const limits = transactions.map((transaction) => {
    const limit = new AbortController()
    const { opIds } = transaction
    device.sync?.settled({ opIds }, { signal: limit.signal }).then(
      (fate) => {
        fates.set(transaction, fate)
        waiting--
      },
      () => {
        waiting--
      },
    )
    return limit
  })
  const endMs = world.time.nowMs + LEDGER_MS_MAX
  await settle()
  while (waiting > 0 && (await world.step(endMs))) {}
  for (const limit of limits) limit.abort()
  return fates
}
