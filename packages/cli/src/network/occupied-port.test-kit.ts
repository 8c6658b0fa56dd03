import { createServer } from 'node:net'

/** Occupies a port of 127.0.0.1 until released. */
export function occupyPort(): Promise<{ readonly port: number; release(): Promise<void> }> {
  const server = createServer()
  const release = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()))
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (typeof address === 'object' && address !== null) resolve({ port: address.port, release })
    })
  })
}
