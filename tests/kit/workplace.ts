/** A temporary folder with a certificate, a free port and a token: what a real server needs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'

export interface Workplace {
  readonly directory: string
  readonly certFile: string
  readonly keyFile: string
  readonly cert: string
  readonly key: string
  readonly token: string
  remove(): void
}

export async function createWorkplace(): Promise<Workplace> {
  const directory = mkdtempSync(join(tmpdir(), 'entidb-system-'))
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  const certFile = join(directory, 'cert.pem')
  const keyFile = join(directory, 'key.pem')
  writeFileSync(certFile, cert)
  writeFileSync(keyFile, key, { mode: 0o600 })
  return {
    directory,
    certFile,
    keyFile,
    cert,
    key,
    token: 'system-test-token',
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** A port that was free a moment ago: a server that is killed must come back on the same one. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      probe.close(() => resolve(port))
    })
  })
}
