import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ensureCertificate, type TlsIdentity } from '../secrets/certificate.ts'
import { createMeteredFetch } from './metered-fetch.ts'

const answerBytes = 200_000
let directory: string
let identity: TlsIdentity
let server: Server
let url: string

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'entidb-fetch-'))
  identity = await ensureCertificate(directory, Date.now())
  server = createServer({ cert: identity.cert, key: identity.key }, (request, response) => {
    request.resume().on('end', () => response.end(Buffer.alloc(answerBytes)))
  })
  url = await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(`https://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`)
    })
  })
})

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve))
  rmSync(directory, { recursive: true, force: true })
})

describe('metered fetch', () => {
  test('traffic: two requests on kept connections -> all their bytes, also after the end', async () => {
    const wire = createMeteredFetch(identity.cert)
    for (let i = 0; i < 2; i++) {
      const response = await wire.fetch(url, { method: 'POST', body: new Uint8Array(300_000) })
      expect((await response.arrayBuffer()).byteLength).toBe(answerBytes)
    }
    const { sent, received } = wire.traffic()
    expect(sent).toBeGreaterThan(600_000)
    expect(sent).toBeLessThan(602_000)
    expect(received).toBeGreaterThan(400_000)
    expect(received).toBeLessThan(402_000)
    await wire.close()
    expect(wire.traffic()).toEqual({ sent, received })
  })

  test('trust: another certificate -> refused', async () => {
    const other = await ensureCertificate(join(directory, 'other'), Date.now())
    const wire = createMeteredFetch(other.cert)
    await expect(wire.fetch(url, { method: 'GET' })).rejects.toThrow()
    await wire.close()
  })
})
