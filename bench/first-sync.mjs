// Each engine with its own server: first sync of all cities into a fresh device, and push of 20,000 entities
// that were written offline.
import { printTable } from './figures.mjs'
import { runScript, startScript, temporaryDirectory } from './processes.mjs'

const engines = [
  {
    name: 'entidb (TLS, flushed)',
    server: 'sync/entidb-server.mjs',
    device: 'sync/entidb-device.mjs',
    push: 'sync/entidb-push.mjs',
    rounds: 3,
  },
  {
    name: 'pouchdb (plain HTTP, no flush)',
    server: 'sync/pouchdb-server.mjs',
    device: 'sync/pouchdb-device.mjs',
    push: 'sync/pouchdb-push.mjs',
    rounds: 2,
  },
]

export async function firstSync() {
  const servers = []
  for (const { server } of engines) {
    const place = temporaryDirectory()
    servers.push({ ...place, ...(await startScript(server, [place.directory])) })
  }
  printTable(
    'first sync: all cities into a fresh durable device (entities/s)',
    await interleaved(servers, ({ device }) => device),
  )
  printTable(
    'push: 20,000 cities written offline in transactions of 100 (entities/s)',
    await interleaved(servers, ({ push }) => push),
  )
  for (const { stop, remove } of servers) {
    await stop()
    remove()
  }
}

/** The rates of a script of each engine, round by round. */
async function interleaved(servers, scriptOf) {
  const rows = engines.map(({ name }) => ({ name, rates: [] }))
  for (let round = 0; round < 3; round++) {
    for (const [index, engine] of engines.entries()) {
      if (round >= engine.rounds) continue
      const place = temporaryDirectory()
      const { url, directory } = servers[index]
      const { ms, entities } = await runScript(scriptOf(engine), [place.directory, directory, url])
      rows[index].rates.push((entities / ms) * 1000)
      place.remove()
    }
  }
  return rows
}
