// First sync of all cities into a fresh device, each engine from its own server.
import { printTable } from './figures.mjs'
import { runScript, startScript, temporaryDirectory } from './processes.mjs'

const engines = [
  {
    name: 'entidb (TLS, flushed)',
    server: 'sync/entidb-server.mjs',
    device: 'sync/entidb-device.mjs',
    rounds: 3,
  },
  {
    name: 'pouchdb (plain HTTP, no flush)',
    server: 'sync/pouchdb-server.mjs',
    device: 'sync/pouchdb-device.mjs',
    rounds: 2,
  },
]

export async function firstSync() {
  const servers = []
  for (const { server } of engines) {
    const place = temporaryDirectory()
    servers.push({ ...place, ...(await startScript(server, [place.directory])) })
  }
  const rows = engines.map(({ name }) => ({ name, rates: [] }))
  for (let round = 0; round < 3; round++) {
    for (const [index, { device, rounds }] of engines.entries()) {
      if (round >= rounds) continue
      const place = temporaryDirectory()
      const { url, directory } = servers[index]
      const { ms, entities } = await runScript(device, [place.directory, directory, url])
      rows[index].rates.push((entities / ms) * 1000)
      place.remove()
    }
  }
  for (const { stop, remove } of servers) {
    await stop()
    remove()
  }
  printTable('first sync: all cities into a fresh durable device (entities/s)', rows)
}
