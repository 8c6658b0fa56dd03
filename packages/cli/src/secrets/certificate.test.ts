import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkServerIdentity, connect, createServer } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ensureCertificate, LOOPBACK_NAMES, type TlsIdentity } from './certificate.ts'

const dayMs = 86_400_000
const now = Date.now()
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'entidb-certificate-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

/** A real handshake with a client that trusts the certificate alone, as a server of that name. */
function handshake({ cert, key }: TlsIdentity, name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer({ cert, key })
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      const socket = connect({
        port,
        host: '127.0.0.1',
        ca: cert,
        checkServerIdentity: (_, peer) => checkServerIdentity(name, peer),
      })
      const end = (settle: () => void): void => {
        socket.destroy()
        server.close(settle)
      }
      socket.once('secureConnect', () => end(() => resolve(socket.authorized)))
      socket.once('error', (error) => end(() => reject(error)))
    })
  })
}

describe('certificate', () => {
  test.each(LOOPBACK_NAMES)(
    'TLS: a client that trusts it connects to %s -> authorized',
    async (name) => {
      expect(await handshake(await ensureCertificate(directory, now), name)).toBe(true)
    },
  )

  test('TLS: as another name -> refused', async () => {
    const identity = await ensureCertificate(directory, now)
    await expect(handshake(identity, 'example.org')).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
  })

  test('files: first call -> made, the key readable by its owner alone; second call -> found', async () => {
    const first = await ensureCertificate(directory, now)
    expect(first.made).toBe(true)
    expect(statSync(join(directory, 'key.pem')).mode & 0o777).toBe(0o600)
    expect(await ensureCertificate(directory, now)).toEqual({ ...first, made: false })
  })

  test('files: expired, half of a pair, or damaged -> made anew', async () => {
    const first = await ensureCertificate(directory, now - 825 * dayMs)
    const second = await ensureCertificate(directory, now)
    expect(second).toMatchObject({ made: true })
    rmSync(first.certFile)
    const third = await ensureCertificate(directory, now)
    writeFileSync(first.certFile, second.cert)
    const fourth = await ensureCertificate(directory, now)
    writeFileSync(first.certFile, 'not PEM')
    const fifth = await ensureCertificate(directory, now)
    expect([third.made, fourth.made, fifth.made]).toEqual([true, true, true])
    expect(await handshake(fifth, 'localhost')).toBe(true)
  })
})
