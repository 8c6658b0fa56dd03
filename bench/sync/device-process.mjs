// Another device in a process of its own, from the side of the workload.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('./device-child.mjs', import.meta.url))

/** `task`: `{ engine, directory, server }`. */
export async function startDeviceProcess(task) {
  const child = fork(script, [JSON.stringify(task)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const waiting = new Map()
  let onChange = () => {}
  let next = 0
  child.on('message', ({ id, result, error, change }) => {
    if (change !== undefined) return onChange(change)
    const { resolve, reject } = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) resolve(result)
    else reject(new Error(`${task.engine}, the other device: ${error}`))
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  void ended.then((code) => {
    for (const { reject } of waiting.values())
      reject(new Error(`${task.engine}: the process of the other device ended with ${code}`))
  })
  const run = (command, ...args) =>
    new Promise((resolve, reject) => {
      const id = next++
      waiting.set(id, { resolve, reject })
      child.send({ id, command, args })
    })
  await run('open')
  return {
    run,
    /** The listener gets `{ id, visits, atNs }`: when which entity could be read there. */
    async follow(listener) {
      onChange = listener
      await run('follow')
    },
    async close() {
      if (child.connected) await run('close')
      await ended
    },
  }
}
