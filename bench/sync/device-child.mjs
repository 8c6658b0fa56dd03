// The process of another device. argv[2]: `{ engine, directory, server }` as JSON. It takes commands from its parent.
import { COMMANDS } from './device-commands.mjs'

const { engine, directory, server } = JSON.parse(process.argv[2])
const { openDevice } = await import(`./devices/${engine}.mjs`)
let device

const commands = {
  ...COMMANDS,
  async open() {
    device = await openDevice(directory, server)
  },
  async follow() {
    await device.follow(({ id, visits }) => {
      const atNs = String(process.hrtime.bigint())
      process.send({ change: { id, visits, atNs } })
    })
  },
  async close() {
    await device.close()
    setImmediate(() => process.disconnect())
  },
}

process.on('message', async ({ id, command, args }) => {
  try {
    process.send({ id, result: await commands[command](device, ...args) })
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) })
  }
})
process.on('disconnect', () => process.exit(0))
