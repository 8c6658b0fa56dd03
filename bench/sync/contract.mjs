// What a sync stack of the benchmark offers, and what holds for every one of them.
//
// A stack is a server in a process of its own and devices, the measured one in the process of the workload, others in
// theirs. `servers/NAME.mjs` is run with a directory and settings (JSON), prints `ready URL` and ends with SIGTERM, all
// stored. `devices/NAME.mjs` exports `openDevice(directory, server)`. Fairness:
//
// - Every stack syncs the same entities (../harness/data-set.mjs), without secondary indexes, and stores them on both
//   ends by the means that it has for Node. What is weaker than ours (no TLS, no flush, memory only, silent merges)
//   stands in the page, and is not made up for.
// - `pull`, `push` and `sync` connect. A device that does not follow the server is offline when something is put.
// - A call resolves as early as the stack can tell: `push` when the server has answered for everything, `pull` when all is
//   stored here as it is stored by that stack.
// - Nothing is trusted: workloads compare counts and every field with what data-set.mjs says, outside the measured time.

/**
 * @typedef {object} Server `{ url, directory }` of a server that runs.
 *
 * @typedef {object} Device
 * @property {(entities: object[]) => Promise<void>} putMany Stores new or changed entities in one transaction.
 * @property {() => Promise<void>} [save] Stores what was put, in a stack that does not do so at once.
 * @property {() => Promise<void>} pull What the server has is here.
 * @property {() => Promise<void>} push What was put here is on the server.
 * @property {() => Promise<void>} sync Both.
 * @property {(listener: (entity: object) => void) => Promise<void>} follow From now on stays connected: what is put here is
 *   sent at once, and the listener is shown each entity of another device when it can be read here.
 * @property {(id: string) => Promise<object | null | undefined>} read One entity, if it is here.
 * @property {(visit: (entity: object) => void) => Promise<void>} scan All entities, with the fields of the data set.
 * @property {() => Promise<void>} close
 */

const OPERATIONS = ['load', 'startServer', 'openDevice', 'startDevice', 'close']

/** @returns {import('./stack.mjs').Stack} */
export function assertEngine(stack) {
  const missing = OPERATIONS.filter((name) => typeof stack[name] !== 'function')
  if (missing.length > 0) throw new Error(`the stack lacks ${missing.join(', ')}`)
  return stack
}
