// An EntiDB sync server over TLS, every commit flushed. argv: directory. Prints `ready URL`.
import { writeFileSync } from 'node:fs'
import { createSyncServer, jsonLogger, staticTokens } from '@entidb/server'
import { createCertificate } from '../certificate.mjs'

const directory = process.argv[2]
const tls = await createCertificate()
writeFileSync(`${directory}/cert.pem`, tls.cert)
const server = await createSyncServer({
  dataDir: `${directory}/data`,
  tls,
  auth: staticTokens({ bench: { subject: 'bench', databases: '*', access: 'write' } }),
  createDatabases: true,
  logger: jsonLogger({ level: 'error' }),
})
await server.listen()
console.log(`ready ${server.url}`)
process.on('SIGTERM', () => void server.close().then(() => process.exit(0)))
