/** What the server had on its disk between its writes, for a backup of any time to be put back. */
import type { World } from '../world/world.ts'

/** Its files. */
export type ServerImage = ReadonlyMap<string, Uint8Array>

export class ServerImages {
  readonly #world: World
  readonly #images: ServerImage[] = []
  #hasChanged = true

  constructor(world: World) {
    this.#world = world
  }

  /** It may have something else from now on. */
  changes(): void {
    this.#hasChanged = true
  }

  /** Those from before what it has now, of which one is made too. */
  earlier(): readonly ServerImage[] {
    if (this.#hasChanged) this.#images.push(this.#world.server.image())
    this.#hasChanged = false
    return this.#images.slice(0, -1)
  }

  /** It has these files from now on, and is back at once. */
  async restore(image: ServerImage): Promise<void> {
    const { server, oracle } = this.#world
    // What was accepted until now, and nobody looked at yet.
    await server.look()
    server.restore(image)
    oracle.serverRestored(await server.readOffline())
    server.boot()
    server.open()
  }
}
