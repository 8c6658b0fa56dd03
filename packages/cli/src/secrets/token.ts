/** Access tokens: 256 random bits as text that needs no quoting anywhere. */
import { randomBytes } from 'node:crypto'
import { createFileOnce, readIfThere, SECRET_MODE } from './file-once.ts'

export function createToken(): string {
  return randomBytes(32).toString('base64url')
}

/** The token in the file, made on the first call. */
export async function ensureTokenFile(
  path: string,
): Promise<{ readonly token: string; readonly made: boolean }> {
  const existing = await readIfThere(path)
  if (existing !== undefined) return { token: existing.trim(), made: false }
  const token = createToken()
  const stored = (await createFileOnce(path, `${token}\n`, SECRET_MODE)).trim()
  return { token: stored, made: stored === token }
}
