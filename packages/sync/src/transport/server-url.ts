/** Where the server is. Plain HTTP is refused unless it never leaves this machine and was asked for. */
import { EntiDBError } from '@entidb/core'

/** The URL without a trailing slash, query or fragment. Error: `insecure_url`. */
export function parseServerUrl(serverUrl: URL | string, allowInsecureLoopback: boolean): string {
  const url = new URL(serverUrl)
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('serverUrl must not hold credentials: use authTokenProvider')
  }
  if (url.protocol !== 'https:') assertLoopback(url, allowInsecureLoopback)
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

function assertLoopback(url: URL, allowed: boolean): void {
  if (url.protocol === 'http:' && allowed && isLoopbackHost(url.hostname)) return
  throw new EntiDBError(
    'insecure_url',
    `Sync needs https. Plain http works only to this machine, with allowInsecureLoopback: true (${url.origin})`,
    { details: { origin: url.origin } },
  )
}

/** `serverUrl` as `parseServerUrl` gives it. */
export function isLoopback(serverUrl: string): boolean {
  return isLoopbackHost(new URL(serverUrl).hostname)
}

function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}
