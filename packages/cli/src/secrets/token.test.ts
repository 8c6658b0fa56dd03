import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createToken, ensureTokenFile } from './token.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'entidb-token-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

describe('token', () => {
  test('token: made -> 256 bits that a header can carry', () => {
    expect(createToken()).toMatch(/^[\w-]{43}$/)
    expect(createToken()).not.toBe(createToken())
  })

  test('file: first call -> made with mode 0600 in a new folder; second call -> found', async () => {
    const path = join(directory, 'new', 'token')
    const first = await ensureTokenFile(path)
    expect(first.made).toBe(true)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await ensureTokenFile(path)).toEqual({ token: first.token, made: false })
  })

  test('file: several makers at once -> one token for all, nothing left behind', async () => {
    const path = join(directory, 'token')
    const made = await Promise.all([1, 2, 3, 4].map(() => ensureTokenFile(path)))
    expect(new Set(made.map(({ token }) => token)).size).toBe(1)
    expect(readdirSync(directory)).toEqual(['token'])
  })
})
