/**
 * A self-made certificate for this machine's own names (localhost, 127.0.0.1, ::1): real TLS without an
 * authority. Clients trust it by being given it (`cert.pem`); the key never leaves its file.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { UsageError } from '../cli/usage-error.ts'
import { createFileOnce, PUBLIC_MODE, readIfThere, SECRET_MODE } from './file-once.ts'

export interface TlsIdentity {
  /** PEM. */
  readonly cert: string
  /** PEM, PKCS #8. */
  readonly key: string
  /** Where `cert` lies, for clients that want a file. */
  readonly certFile: string
  /** False when it was found. */
  readonly made: boolean
}

const hourMs = 3_600_000
const lifetimeMs = 825 * 24 * hourMs

/** The names such a certificate is good for. */
export const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '::1']

/**
 * The certificate kept in the directory. It is made on the first call, and made anew when it has less
 * than a day to live or does not fit its key. `wallClockMs` is in milliseconds since 1970.
 */
export async function ensureCertificate(
  directory: string,
  wallClockMs: number,
): Promise<TlsIdentity> {
  const certFile = join(directory, 'cert.pem')
  const keyFile = join(directory, 'key.pem')
  const [cert, key] = await Promise.all([readIfThere(certFile), readIfThere(keyFile)])
  if (cert !== undefined && key !== undefined && isUsable(cert, key, wallClockMs)) {
    return { cert, key, certFile, made: false }
  }
  await Promise.all([rm(certFile, { force: true }), rm(keyFile, { force: true })])
  const made = await generateCertificate(wallClockMs)
  await createFileOnce(keyFile, made.key, SECRET_MODE)
  await createFileOnce(certFile, made.cert, PUBLIC_MODE)
  return { ...made, certFile, made: true }
}

/**
 * The certificate chain and key of these files. Errors: `UsageError` when no server can use them, as with a file
 * that is empty or cut off; of the system when one cannot be read.
 */
export async function readCertificate(
  certFile: string,
  keyFile: string,
): Promise<Pick<TlsIdentity, 'cert' | 'key'>> {
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')])
  try {
    // Node takes an empty file for none at all.
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
      throw new Error('the key is of another certificate')
    }
    createSecureContext({ cert, key })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(`${certFile} and ${keyFile} are no certificate with its key: ${why}`, {
      cause,
    })
  }
  return { cert, key }
}

function isUsable(cert: string, key: string, wallClockMs: number): boolean {
  try {
    const certificate = new X509Certificate(cert)
    const remainingMs = Date.parse(certificate.validTo) - wallClockMs
    return remainingMs > 24 * hourMs && certificate.checkPrivateKey(createPrivateKey(key))
  } catch {
    // Not PEM at all: as good as absent.
    return false
  }
}

async function generateCertificate(wallClockMs: number): Promise<{ cert: string; key: string }> {
  // Loaded only here: it takes a quarter of a second.
  const { generate } = await import('selfsigned')
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(wallClockMs - hourMs),
    notAfterDate: new Date(wallClockMs + lifetimeMs),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: LOOPBACK_NAMES.map((name) =>
          name === 'localhost' ? { type: 2, value: name } : { type: 7, ip: name },
        ),
      },
    ],
  })
  return { cert: made.cert, key: made.private }
}
