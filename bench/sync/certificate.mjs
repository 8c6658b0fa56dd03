// A certificate for this machine's loopback address, made for one run.
import { generate } from 'selfsigned'

/** `{ cert, key }`, PEM. */
export async function createCertificate() {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })
  return { cert, key }
}
