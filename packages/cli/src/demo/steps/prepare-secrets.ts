/** Step: the certificate and the access token, made on the first start and kept. */
import { join } from 'node:path'
import { ensureCertificate, type TlsIdentity } from '../../secrets/certificate.ts'
import { ensureTokenFile } from '../../secrets/token.ts'
import type { Step } from '../step-runner.ts'

export interface Secrets {
  readonly tls: TlsIdentity
  readonly token: string
  readonly tokenFile: string
}

export async function prepareSecrets(directory: string, step: Step): Promise<Secrets> {
  const tokenFile = join(directory, 'token')
  const tls = await ensureCertificate(join(directory, 'tls'), Date.now())
  const { token, made } = await ensureTokenFile(tokenFile)
  step.summary(tls.made || made ? 'made' : 'found')
  return { tls, token, tokenFile }
}
