// Stands between a device and its server and counts what passes, TLS and headers included.
import { connect, createServer } from 'node:net'

/** `{ server, bytes, close }`: the same server at another address; `bytes()` is what went up and down so far. */
export async function countBytes(server) {
  const target = new URL(server.url)
  let bytes = 0
  const relay = createServer((device) => {
    const upstream = connect(Number(target.port), target.hostname)
    const pass = (from, to) => {
      from.on('data', (chunk) => {
        bytes += chunk.length
      })
      from.pipe(to)
      from.on('error', () => to.destroy())
    }
    pass(device, upstream)
    pass(upstream, device)
  })
  await new Promise((resolve) => relay.listen(0, '127.0.0.1', resolve))
  const url = new URL(server.url)
  url.port = String(relay.address().port)
  return {
    server: { ...server, url: url.href.replace(/\/$/, '') },
    bytes: () => bytes,
    close: () => relay.close(),
  }
}
