/** How to reach the server of the demo. */
import { CITIES_DB_ID } from './city.ts'

export interface Access {
  readonly url: string
  readonly token: string
  readonly tokenFile: string
  readonly certFile: string
}

export function accessText({ url, token, tokenFile, certFile }: Access): string {
  return `
The server keeps running; Ctrl-C stops it.

  address      ${url}
  database     ${CITIES_DB_ID}
  token        ${token}
  certificate  ${certFile}

  curl --cacert ${certFile} ${url}/healthz
  curl --cacert ${certFile} -N -H "Authorization: Bearer $(cat ${tokenFile})" "${url}/v1/stream?dbId=${CITIES_DB_ID}"
`
}
