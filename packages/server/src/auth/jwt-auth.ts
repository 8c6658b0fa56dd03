/**
 * JSON Web Tokens. Algorithms, issuer and audience are pinned by the configuration, and a token must
 * have an end (`exp`) and a subject. Keys come from the configuration only, never from a token.
 */
import { createHash } from 'node:crypto'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import { unavailable } from '../wire-error.ts'
import { identityOfClaims } from './claims.ts'
import type { Authenticator, Identity } from './identity.ts'
import { IdentityCache } from './identity-cache.ts'

/** Options of `jwtAuth`. */
export interface JwtAuthOptions {
  /** Where the issuer publishes its public keys (https, or http on loopback), or the keys themselves. */
  readonly jwks: URL | string | JSONWebKeySet
  /** The claim `iss`, or those that are accepted. */
  readonly issuer: string | string[]
  /** The claim `aud`, or those that are accepted. */
  readonly audience: string | string[]
  /** Default: ES256, ES384, PS256, RS256, EdDSA. Symmetric algorithms and `none` are refused. */
  readonly algorithms?: readonly string[]
  /** Seconds that clocks may differ, at most 60; default 5. */
  readonly clockToleranceSeconds?: number
  /**
   * What a verified token means; undefined refuses it. Default: subject `sub`, and the claims
   * `databases` (list of dbIds or "*"), `access` ("read" or "write") and optionally `deviceId`.
   */
  readonly identify?: (claims: JWTPayload) => Omit<Identity, 'expiresAtMs' | 'claims'> | undefined
  /** Verified tokens that are remembered until they expire; default 10,000. */
  readonly cachedTokensMax?: number
  /** Milliseconds since 1970. */
  readonly clock?: () => number
}

const ALGORITHMS: readonly string[] = ['ES256', 'ES384', 'PS256', 'RS256', 'EdDSA']
const REFUSED_ALGORITHM = /^(none|HS\d+)$/i
const CLOCK_TOLERANCE_SECONDS_MAX = 60

/**
 * @example
 * jwtAuth({
 *   jwks: new URL('https://id.example.org/.well-known/jwks.json'),
 *   issuer: 'https://id.example.org',
 *   audience: 'entidb',
 * })
 */
export function jwtAuth(options: JwtAuthOptions): Authenticator {
  const { issuer, audience } = options
  const clock = options.clock ?? Date.now
  const algorithms = acceptedAlgorithms(options.algorithms)
  const clockTolerance = acceptedTolerance(options.clockToleranceSeconds)
  if (issuer.length === 0 || audience.length === 0) {
    throw new TypeError('jwtAuth needs an issuer and an audience')
  }
  const keys = keySource(options.jwks)
  const identify = options.identify ?? identityOfClaims
  const cache = new IdentityCache(options.cachedTokensMax ?? 10_000)

  return {
    async authenticate(token) {
      const nowMs = clock()
      const key = createHash('sha256').update(token).digest('base64')
      const cached = cache.get(key, nowMs)
      if (cached !== undefined) return cached
      const claims = await verifiedClaims(token, keys, {
        algorithms,
        issuer,
        audience,
        requiredClaims: ['exp', 'sub'],
        clockTolerance,
        currentDate: new Date(nowMs),
      })
      const identity = claims === undefined ? undefined : identify(claims)
      if (claims?.exp === undefined || identity === undefined) return undefined
      const known: Identity = { ...identity, expiresAtMs: claims.exp * 1000, claims }
      cache.set(key, known, nowMs)
      return known
    },
  }
}

async function verifiedClaims(
  token: string,
  keys: JWTVerifyGetKey,
  options: Parameters<typeof jwtVerify>[2],
): Promise<JWTPayload | undefined> {
  try {
    return (await jwtVerify(token, keys, options)).payload
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return claimsByAny(token, error, options)
    if (isKeySourceFailure(error)) {
      throw unavailable('The keys of the token issuer cannot be had at the moment')
    }
    if (error instanceof errors.JOSEError) return undefined
    throw error
  }
}

/** A token that does not name its key may be of any that its issuer has: two of a kind while it changes them. */
async function claimsByAny(
  token: string,
  keys: errors.JWKSMultipleMatchingKeys,
  options: Parameters<typeof jwtVerify>[2],
): Promise<JWTPayload | undefined> {
  for await (const key of keys) {
    const claims = await verifiedClaims(token, () => Promise.resolve(key), options)
    if (claims !== undefined) return claims
  }
  return undefined
}

/** The token may be good: nobody can tell while the issuer's keys are out of reach. */
function isKeySourceFailure(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true
  // jose reports an unexpected status of the key set with its base class, network failures as TypeError.
  if (error instanceof errors.JOSEError) return error.code === 'ERR_JOSE_GENERIC'
  return error instanceof TypeError && /fetch/i.test(error.message)
}

function keySource(jwks: URL | string | JSONWebKeySet): JWTVerifyGetKey {
  if (typeof jwks === 'object' && 'keys' in jwks) return createLocalJWKSet(jwks)
  const url = new URL(jwks)
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)) {
    throw new TypeError(`jwks must be an https URL, not ${url.protocol}`)
  }
  return createRemoteJWKSet(url, { cooldownDuration: 30_000, timeoutDuration: 5_000 })
}

function acceptedAlgorithms(algorithms: readonly string[] = ALGORITHMS): string[] {
  const refused = algorithms.find((algorithm) => REFUSED_ALGORITHM.test(algorithm))
  if (refused !== undefined || algorithms.length === 0) {
    throw new TypeError(`algorithms must name asymmetric algorithms, not ${refused ?? 'nothing'}`)
  }
  return [...algorithms]
}

function acceptedTolerance(seconds = 5): number {
  if (!(seconds >= 0 && seconds <= CLOCK_TOLERANCE_SECONDS_MAX)) {
    throw new TypeError(`clockToleranceSeconds must be 0 to ${CLOCK_TOLERANCE_SECONDS_MAX}`)
  }
  return seconds
}
