import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JSONWebKeySet, type JWTPayload, SignJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Authenticator } from './identity.ts'
import { type JwtAuthOptions, jwtAuth } from './jwt-auth.ts'

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>

const issuer = 'https://id.example.org'
const audience = 'entidb'
const nowMs = 1_800_000_000_000
const nowSeconds = nowMs / 1000

let keys: KeyPair
let otherKeys: KeyPair
let jwks: JSONWebKeySet

beforeAll(async () => {
  keys = await generateKeyPair('ES256')
  otherKeys = await generateKeyPair('ES256')
  jwks = { keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256' }] }
})

function createAuth(options: Partial<JwtAuthOptions> = {}): Authenticator {
  return jwtAuth({ jwks, issuer, audience, clock: () => nowMs, ...options })
}

const goodClaims: JWTPayload = {
  iss: issuer,
  aud: audience,
  sub: 'ada',
  exp: nowSeconds + 60,
  databases: ['shop'],
  access: 'write',
}

function sign(claims: Record<string, unknown>, pair: KeyPair = keys): Promise<string> {
  // JSON leaves out what is undefined: a claim that is missing.
  const payload: JWTPayload = JSON.parse(JSON.stringify(claims))
  return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(pair.privateKey)
}

function unsigned(header: object, claims: JWTPayload, signature = ''): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  return `${encode(header)}.${encode(claims)}.${signature}`
}

describe('jwtAuth', () => {
  test('a good token -> subject, databases, access, device, expiry and claims', async () => {
    const token = await sign({ ...goodClaims, deviceId: 'till-1' })
    expect(await createAuth().authenticate(token)).toMatchObject({
      subject: 'ada',
      databases: ['shop'],
      access: 'write',
      deviceId: 'till-1',
      expiresAtMs: nowMs + 60_000,
      claims: { iss: issuer },
    })
  })

  test.each<[string, Record<string, unknown>]>([
    ['expired', { exp: nowSeconds - 60 }],
    ['without an end', { exp: undefined }],
    ['not valid yet', { nbf: nowSeconds + 60 }],
    ['of another issuer', { iss: 'https://evil.example.org' }],
    ['for another audience', { aud: 'other' }],
    ['without an audience', { aud: undefined }],
    ['without a subject', { sub: undefined }],
    ['that names no databases', { databases: undefined }],
    ['with a database that is no dbId', { databases: ['../x'] }],
    ['with databases as text', { databases: 'shop' }],
    ['with another access', { access: 'admin' }],
    ['bound to the server device', { deviceId: 'server' }],
  ])('a token %s -> refused', async (_, change) => {
    const claims = { ...goodClaims, ...change }
    expect(await createAuth().authenticate(await sign(claims))).toBeUndefined()
  })

  test('signed with another key -> refused', async () => {
    expect(await createAuth().authenticate(await sign(goodClaims, otherKeys))).toBeUndefined()
  })

  test.each([
    ['alg none', () => unsigned({ alg: 'none' }, goodClaims)],
    ['alg NONE', () => unsigned({ alg: 'NONE', kid: 'k1' }, goodClaims)],
    ['not a JWT', () => 'secret'],
    ['an unknown kid', () => unsigned({ alg: 'ES256', kid: '../../etc/passwd' }, goodClaims, 'AA')],
    ['a key in the header', () => unsigned({ alg: 'ES256', jku: 'http://x/' }, goodClaims, 'AA')],
  ])('%s -> refused', async (_, make) => {
    expect(await createAuth().authenticate(make())).toBeUndefined()
  })

  test('the issuer changes its keys, tokens name none -> those of either key; not those of a third', async () => {
    const changing = {
      keys: [...jwks.keys, { ...(await exportJWK(otherKeys.publicKey)), kid: 'k2', alg: 'ES256' }],
    }
    const auth = createAuth({ jwks: changing })
    const signedBy = (pair: KeyPair): Promise<string> =>
      new SignJWT(goodClaims).setProtectedHeader({ alg: 'ES256' }).sign(pair.privateKey)
    for (const pair of [keys, otherKeys]) {
      expect(await auth.authenticate(await signedBy(pair))).toMatchObject({ subject: 'ada' })
    }
    const third = await generateKeyPair('ES256')
    expect(await auth.authenticate(await signedBy(third))).toBeUndefined()
  })

  test('HMAC with the public key as secret -> refused', async () => {
    const secret = Buffer.from(JSON.stringify(jwks.keys[0]))
    const token = await new SignJWT(goodClaims).setProtectedHeader({ alg: 'HS256' }).sign(secret)
    expect(await createAuth().authenticate(token)).toBeUndefined()
  })

  test('a verified token -> remembered until it expires, then refused', async () => {
    let clockMs = nowMs
    const auth = createAuth({ clock: () => clockMs })
    const token = await sign(goodClaims)
    const first = await auth.authenticate(token)
    expect(await auth.authenticate(token)).toBe(first)
    clockMs = nowMs + 66_000
    expect(await auth.authenticate(token)).toBeUndefined()
  })

  test('identify -> reads the claims of the application; undefined refuses', async () => {
    const auth = createAuth({
      identify: ({ sub = '', tenant }) =>
        typeof tenant === 'string'
          ? { subject: sub, databases: [tenant], access: 'read' }
          : undefined,
    })
    expect(await auth.authenticate(await sign({ ...goodClaims, tenant: 't1' }))).toMatchObject({
      databases: ['t1'],
      access: 'read',
    })
    expect(await auth.authenticate(await sign(goodClaims))).toBeUndefined()
  })

  test('keys from a URL -> fetched once; while they cannot be had -> unavailable', async () => {
    let requests = 0
    let status = 500
    const server = createServer((_, response) => {
      requests++
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(jwks))
    })
    const auth = createAuth({ jwks: await listen(server) })
    const token = await sign(goodClaims)
    await expect(auth.authenticate(token)).rejects.toMatchObject({ code: 'unavailable' })
    status = 200
    expect(await auth.authenticate(token)).toMatchObject({ subject: 'ada' })
    const fetched = requests
    await auth.authenticate(await sign({ ...goodClaims, sub: 'bob' }))
    expect(requests).toBe(fetched)
    await new Promise((resolve) => server.close(resolve))
    const unreachable = createAuth({ jwks: 'http://127.0.0.1:1/jwks' })
    await expect(unreachable.authenticate(token)).rejects.toMatchObject({ code: 'unavailable' })
  })

  test.each<[string, Partial<JwtAuthOptions>]>([
    ['alg none', { algorithms: ['none'] }],
    ['a symmetric algorithm', { algorithms: ['ES256', 'HS256'] }],
    ['no algorithm', { algorithms: [] }],
    ['no issuer', { issuer: '' }],
    ['no audience', { audience: [] }],
    ['a plain http key set', { jwks: 'http://id.example.org/jwks' }],
    ['a large tolerance', { clockToleranceSeconds: 3600 }],
  ])('configuration: %s -> TypeError', (_, options) => {
    expect(() => createAuth(options)).toThrow(TypeError)
  })
})

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A listening server has an address; only pipes have a text.
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}/jwks`
}
