/** What `entidb serve` accepts, as its help lists it. */
import type { ArgsDef } from 'citty'

export const serveOptionsDefinition: ArgsDef = {
  data: {
    type: 'string',
    valueHint: 'dir',
    default: './data/server',
    description: 'Directory with one database per dbId',
  },
  host: {
    type: 'string',
    valueHint: 'host',
    default: '127.0.0.1',
    description: 'Address to listen on',
  },
  port: { type: 'string', valueHint: 'port', default: '8443', description: 'Port; 0 for any' },
  cert: {
    type: 'string',
    valueHint: 'file',
    description: 'TLS certificate chain, PEM (with --key)',
  },
  key: { type: 'string', valueHint: 'file', description: 'TLS private key, PEM (with --cert)' },
  'self-signed': {
    type: 'boolean',
    description: 'TLS with a certificate made for localhost, kept in the folder tls beside --data',
  },
  'behind-proxy': { type: 'boolean', description: 'Plain HTTP: a proxy in front terminates TLS' },
  'insecure-loopback': {
    type: 'boolean',
    description: 'Plain HTTP, reachable from this machine only',
  },
  token: {
    type: 'string',
    valueHint: 'token',
    description: 'Access token for all databases; or in the environment: ENTIDB_TOKEN',
  },
  'token-file': {
    type: 'string',
    valueHint: 'file',
    description: 'File with one token, or with JSON: tokens and what each may do',
  },
  'create-databases': { type: 'boolean', description: 'Create a database on its first request' },
  'bind-devices': {
    type: 'boolean',
    description: 'A deviceId belongs to the subject that uses it first',
  },
  'retention-days': {
    type: 'string',
    valueHint: 'n',
    default: '90',
    description: 'How long deletes, conflicts and silent devices are remembered',
  },
  'max-open': {
    type: 'string',
    valueHint: 'n',
    default: '100',
    description: 'Databases open at a time; idle ones are closed for others',
  },
  json: { type: 'boolean', description: 'Print one JSON object per line' },
}
