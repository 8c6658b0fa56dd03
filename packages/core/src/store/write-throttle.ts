/**
 * Lets writers fill the log and the memory no faster than a checkpoint under way empties them: each part of
 * it that is written admits the same part of what there is room for. Without that they would fill all the room,
 * and then stand still until the checkpoint has ended.
 */

/** What the next checkpoint will have to deal with. */
export interface WriteLoad {
  /** Bytes of log. */
  readonly walBytes: number
  /** Bytes of nodes that must stay in memory. */
  readonly nodeBytes: number
}

const NO_LOAD: WriteLoad = { walBytes: 0, nodeBytes: 0 }

export class WriteThrottle {
  /** Of the last checkpoint that began to write nodes: how many, and from which load on how much is admitted. */
  #nodes = 0
  #loadBefore: WriteLoad = NO_LOAD
  #room: WriteLoad = NO_LOAD

  begin(nodes: number, loadBefore: WriteLoad, room: WriteLoad): void {
    this.#nodes = nodes
    this.#loadBefore = loadBefore
    this.#room = room
  }

  /** Must writers wait for the checkpoint to write more than `nodesWritten`? */
  isAhead(load: WriteLoad, nodesWritten: number): boolean {
    const share = nodesWritten / Math.max(this.#nodes, 1)
    return (
      load.walBytes - this.#loadBefore.walBytes > share * this.#room.walBytes ||
      load.nodeBytes - this.#loadBefore.nodeBytes > share * this.#room.nodeBytes
    )
  }
}
