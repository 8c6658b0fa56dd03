/**
 * HTTPS for one device: a `fetch` that trusts one given certificate, which Node's own fetch cannot be
 * told, and counts what crosses the wire: all HTTP bytes in both directions, headers included and as
 * compressed, without the frames that TLS puts around them (about 0.2 %).
 */
import type { Socket } from 'node:net'
import { Agent, buildConnector, fetch, type RequestInit } from 'undici'

export type HttpsFetch = (url: string | URL, init: RequestInit) => Promise<Response>

export interface MeteredFetch {
  readonly fetch: HttpsFetch
  /** Of all connections so far. */
  traffic(): Traffic
  /** Ends every connection, also those in use. */
  close(): Promise<void>
}

/** Bytes. */
export interface Traffic {
  readonly sent: number
  readonly received: number
}

export function sumOfTraffic(all: readonly Traffic[]): Traffic {
  return {
    sent: all.reduce((sum, { sent }) => sum + sent, 0),
    received: all.reduce((sum, { received }) => sum + received, 0),
  }
}

/** `authority` is the certificate to trust, in PEM. */
export function createMeteredFetch(authority: string): MeteredFetch {
  const meter = new SocketMeter()
  const connect = buildConnector({ ca: authority })
  const dispatcher = new Agent({
    connect: (options, callback) =>
      connect(options, (...outcome) => {
        if (outcome[0] === null) meter.add(outcome[1])
        callback(...outcome)
      }),
  })
  return {
    fetch: async (url, init) => {
      const response: unknown = await fetch(url, { ...init, dispatcher })
      // The class behind Node's global Response; only the typings of its stream differ.
      return response as Response
    },
    traffic: () => meter.total(),
    close: () => dispatcher.destroy(),
  }
}

class SocketMeter {
  readonly #open = new Set<Socket>()
  #sent = 0
  #received = 0

  add(socket: Socket): void {
    this.#open.add(socket)
    socket.once('close', () => {
      if (!this.#open.delete(socket)) return
      this.#sent += socket.bytesWritten
      this.#received += socket.bytesRead
    })
  }

  total(): Traffic {
    let sent = this.#sent
    let received = this.#received
    for (const socket of this.#open) {
      sent += socket.bytesWritten
      received += socket.bytesRead
    }
    return { sent, received }
  }
}
