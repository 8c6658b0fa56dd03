/** How a run ended, as far as anybody can tell afterwards: what the server took, and what became of every edit. */
import { fatesOf } from '../run/fates.ts'
import type { World } from '../world/world.ts'

/** Devices hold what the server holds: that was checked. */
export async function outcomeOf(world: World): Promise<string> {
  const history = world.oracle.server.past.history()
  const fates: string[] = []
  for (const device of world.devices) {
    for (const [{ name, writes }, fate] of await fatesOf(world, device)) {
      fates.push(`${device.name} ${name} (${writes.join(', ')}): ${fate?.fate} ${fate?.how}`)
    }
  }
  return [...history.map(({ node, revision }) => `${revision}: ${node}`), ...fates].join('\n')
}
