// A real sync server in a process of its own, to be killed. Prints `listening URL` when it is up.
// argv[2]: JSON { dataDir, certFile, keyFile, token, port, tokens?, createDatabases? }. `tokens` are
// further ones with their claims; databases are made on demand unless `createDatabases` is false.
import { readFileSync } from 'node:fs'
import { createSyncServer, staticTokens } from '@entidb/server'

const config = JSON.parse(process.argv[2])
const server = await createSyncServer({
  dataDir: config.dataDir,
  tls: { cert: readFileSync(config.certFile, 'utf8'), key: readFileSync(config.keyFile, 'utf8') },
  auth: staticTokens({
    [config.token]: { subject: 'test', databases: '*', access: 'write' },
    ...config.tokens,
  }),
  createDatabases: config.createDatabases ?? true,
})
await server.listen({ host: '127.0.0.1', port: config.port })
console.log(`listening ${server.url}`)
process.on('SIGTERM', () => {
  void server.close().then(() => process.exit(0))
})
