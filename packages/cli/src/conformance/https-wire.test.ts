import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ensureCertificate } from '../secrets/certificate.ts'
import { createHttpsWire } from './https-wire.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'entidb-wire-'))
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** `pauseMs`: between two of the pieces of an answer that never ends. */
async function startEndless(
  pieceBytes: number,
  pauseMs: number,
): Promise<{ server: Server; cert: string }> {
  const tls = await ensureCertificate(directory, Date.now())
  const server = createServer(tls, (_, response) => {
    const timer = setInterval(() => response.write(Buffer.alloc(pieceBytes)), pauseMs)
    response.on('close', () => clearInterval(timer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, cert: tls.cert }
}

test.each([
  ['too large', 1_000_000, 1, 'more than 5000000 bytes'],
  ['too slow', 1, 20, 'within 0.5 s'],
])(
  'an answer without an end: %s -> fails in bounded time and memory',
  async (_, bytes, ms, message) => {
    const { server, cert } = await startEndless(bytes, ms)
    // A server on a port has an address with a number.
    const { port } = server.address() as AddressInfo
    const base = new URL(`https://127.0.0.1:${port}`)
    const wire = createHttpsWire(base, cert, { bytesMax: 5_000_000, msMax: 500 })
    const request = { method: 'GET', path: '/', headers: [] }
    await expect(wire.exchange(request)).rejects.toThrow(message)
    wire.close()
    server.closeAllConnections()
    server.close()
  },
)
