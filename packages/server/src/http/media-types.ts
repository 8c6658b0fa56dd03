/** What a request may send and wants back. Parameters are ignored. */
import { EntiDBError } from '@entidb/core'
import { MEDIA_TYPE } from '@entidb/protocol'

/** Error: `unsupported_media_type`. */
export function assertSendsCbor(headers: Headers): void {
  if (baseType(headers.get('content-type') ?? '') === MEDIA_TYPE) return
  throw new EntiDBError('unsupported_media_type', `Send Content-Type: ${MEDIA_TYPE}`)
}

/** An absent header accepts anything. Error: `not_acceptable`. */
export function assertAccepts(headers: Headers, mediaType: string): void {
  const accept = headers.get('accept')
  if (accept === null || accept.trim() === '' || accepts(accept, mediaType)) return
  throw new EntiDBError('not_acceptable', `The answer is ${mediaType}: accept it`)
}

export function acceptsGzip(headers: Headers): boolean {
  const accept = headers.get('accept-encoding')
  if (accept === null) return false
  const items = accept.split(',').map(parseItem)
  const named = items.find(({ name }) => name === 'gzip' || name === 'x-gzip')
  return (named ?? items.find(({ name }) => name === '*'))?.wanted ?? false
}

/** The most specific range decides. */
function accepts(accept: string, mediaType: string): boolean {
  const [type] = mediaType.split('/')
  const items = accept.split(',').map(parseItem)
  for (const range of [mediaType, `${type}/*`, '*/*']) {
    const item = items.find(({ name }) => name === range)
    if (item !== undefined) return item.wanted
  }
  return false
}

function parseItem(item: string): { name: string; wanted: boolean } {
  const [name = '', ...parameters] = item.split(';').map((part) => part.trim().toLowerCase())
  const quality = parameters.find((parameter) => /^q\s*=/.test(parameter))
  return { name, wanted: quality === undefined || Number(quality.split('=')[1]) > 0 }
}

function baseType(contentType: string): string {
  return contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''
}
