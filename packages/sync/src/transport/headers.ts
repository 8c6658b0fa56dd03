/** Headers of requests, and what is read from those of answers. */
import { MEDIA_TYPE } from '@entidb/protocol'
import type { FetchResponse } from '../environment.ts'

export function messageHeaders(token: string, encoding: string): Readonly<Record<string, string>> {
  return {
    Accept: MEDIA_TYPE,
    'Accept-Encoding': encoding,
    Authorization: `Bearer ${token}`,
    'Content-Type': MEDIA_TYPE,
  }
}

export function streamHeaders(token: string): Readonly<Record<string, string>> {
  return {
    Accept: 'text/event-stream',
    'Accept-Encoding': 'identity',
    Authorization: `Bearer ${token}`,
  }
}

export function mediaTypeOf(response: FetchResponse): string {
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';')
  return type.trim().toLowerCase()
}
