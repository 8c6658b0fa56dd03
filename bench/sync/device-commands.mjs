// What workloads have a device do, in their own process or in another.
import { stateOf } from './checks.mjs'
import { editAt } from './edits.mjs'
import { putInTransactions } from './stack.mjs'

const EDIT_TRANSACTION_ENTITIES = 100

export const COMMANDS = {
  pull: (device) => device.pull(),
  sync: (device) => device.sync(),
  /** Changes the first `count` entities as this side does it. */
  async edit(device, side, count) {
    const edits = Array.from({ length: count }, (_, i) => editAt(i, side))
    await putInTransactions(device, edits, EDIT_TRANSACTION_ENTITIES)
  },
  /** What the device holds, checked, as one text. */
  state: (device, count, mergesFields) => stateOf(device, count, mergesFields),
}

/** A device of this process behind the interface of one in another. */
export function inThisProcess(device) {
  return { run: (command, ...args) => COMMANDS[command](device, ...args) }
}
