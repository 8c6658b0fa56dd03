/** The `Authorization` header. */

/** RFC 6750: one scheme, one token. Two headers arrive joined by a comma and do not match. */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/

/** Longer tokens are not looked at. */
const TOKEN_LENGTH_MAX = 8 * 1024

export function parseBearerToken(header: string | null): string | undefined {
  if (header === null || header.length > TOKEN_LENGTH_MAX + 'Bearer '.length) return undefined
  return BEARER.exec(header)?.[1]
}

/** Whether a token can be sent in a header at all. */
export function isSendableToken(token: string): boolean {
  return token.length <= TOKEN_LENGTH_MAX && TOKEN.test(token)
}
