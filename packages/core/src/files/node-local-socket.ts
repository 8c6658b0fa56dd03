/**
 * Local (unix domain) sockets as a sign of life. The system closes them with the process, however it
 * ends, and completes a connection without the process taking part: one that is stopped, or busy for
 * minutes, still counts as alive.
 */

// Listening loads it, whoever listens: better with the other modules than when the first database opens.
import 'node:cluster'
import { closeSync, openSync } from 'node:fs'
import { createConnection, createServer, type Server } from 'node:net'
import { basename, dirname } from 'node:path'
import { systemCodeOf } from './node-io-error.ts'

/** What `sockaddr_un` holds on the least generous system; longer paths are cut or refused. */
const socketPathBytesMax = 103

export interface SignOfLife {
  end(): Promise<void>
}

/** Listens until `end` or the end of the process, which it does not keep alive. */
export async function showLife(address: string): Promise<SignOfLife> {
  const server = await withShortAddress(address, listen)
  server.unref()
  return { end: () => new Promise((resolve) => server.close(() => resolve())) }
}

/** Whether a process shows life at `address`. True also where that cannot be ruled out for lack of rights. */
export async function checkLife(address: string): Promise<boolean> {
  const systemCode = await codeOfConnecting(address)
  if (systemCode === undefined || aliveCodes.includes(systemCode)) return true
  if (deadCodes.includes(systemCode)) return false
  // The listener ended while the connection waited in its queue: the next attempt will say so.
  if (systemCode === 'ECONNRESET') return checkLife(address)
  throw Object.assign(new Error(`Cannot connect: ${systemCode}`), { code: systemCode })
}

/** EAGAIN: so many have asked that the queue of connections is full. */
const aliveCodes: readonly string[] = ['EAGAIN', 'EACCES', 'EPERM']
const deadCodes: readonly string[] = ['ECONNREFUSED', 'ENOENT']

/** Undefined when the connection was made. */
async function codeOfConnecting(address: string): Promise<string | undefined> {
  try {
    await withShortAddress(address, connect)
    return undefined
  } catch (error) {
    return systemCodeOf(error) ?? String(error)
  }
}

function listen(address: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy())
    server.once('error', reject)
    // Exclusive: else node:cluster has the parent of a worker listen, which is another process.
    server.listen({ path: address, exclusive: true }, () => {
      server.off('error', reject)
      // A connection that cannot be accepted (no descriptor left) has served its purpose all the same.
      server.on('error', () => {})
      resolve(server)
    })
  })
}

function connect(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const connection = createConnection(address)
    connection.once('error', reject)
    connection.once('connect', () => {
      connection.destroy()
      resolve()
    })
  })
}

/** Runs `use` with a name of the same socket that is short enough. Those that are no file (abstract) are. */
async function withShortAddress<T>(
  address: string,
  use: (address: string) => Promise<T>,
): Promise<T> {
  if (address.startsWith('\0')) return use(address)
  if (Buffer.byteLength(address) <= socketPathBytesMax) return use(address)
  const fd = openSync(dirname(address), 'r')
  try {
    return await use(`/proc/self/fd/${fd}/${basename(address)}`)
  } finally {
    closeSync(fd)
  }
}
