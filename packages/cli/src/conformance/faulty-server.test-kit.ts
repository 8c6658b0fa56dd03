/**
 * Our real server in this process, with a fault before it: a function that changes requests or answers. Without
 * TLS, so that every rule can be asked of many faults; `run-conformance.test.ts` asks over real sockets.
 */
import { memoryStorage, type Storage } from '@entidb/core'
import {
  createSyncHandler,
  type SyncHandlerOptions,
  silentLogger,
  staticTokens,
} from '@entidb/server'
import {
  isEventStream,
  type Wire,
  type WireAnswer,
  type WireRequest,
  type WireStream,
} from './wire.ts'

export type Next = (request: Request) => Promise<Response>

/** What stands before the server: `next` asks it. */
export type Fault = (request: Request, next: Next) => Promise<Response>

export const writerToken = 'writer'
export const readerToken = 'reader'
export const dbId = 'open'
export const closedDbId = 'closed'

/** Heartbeats come so much faster than on a real server. */
export const HASTE = 50

export const bodyBytesMax = 32_768

export const testServerOptions: SyncHandlerOptions = {
  storage: () => memoryStorage(),
  auth: staticTokens({
    [writerToken]: { subject: 'ada', databases: [dbId], access: 'write' },
    [readerToken]: { subject: 'bob', databases: [dbId], access: 'read' },
  }),
  createDatabases: true,
  logger: silentLogger,
  // Small, so that no rule has to write much to reach them.
  limits: {
    maxOpsPerPush: 20,
    maxPullOps: 30,
    maxEntityBytes: 4_096,
    maxBodyBytes: bodyBytesMax,
    maxPullBytes: 16_384,
  },
  timers: {
    set: (callback, delayMs) => {
      const timer = setTimeout(callback, delayMs / HASTE)
      return () => clearTimeout(timer)
    },
  },
}

export interface FaultyServer {
  readonly wire: Wire
  close(): Promise<void>
}

/** `storage`: of its databases, which a server before it may have left. */
export function createFaultyServer(fault: Fault, storage: Storage = memoryStorage()): FaultyServer {
  const handler = createSyncHandler({ ...testServerOptions, storage: () => storage })
  const ask = async (request: WireRequest): Promise<Response> => {
    // As over a network: who asks again and again lets others have their turn.
    await new Promise((resolve) => setImmediate(resolve))
    return fault(requestOf(request), (passed) => handler.fetch(passed))
  }
  const wire: Wire = {
    exchange: async (request) => {
      const response = await ask(request)
      const head = headOf(response)
      if (isEventStream(head.headers)) {
        await response.body?.cancel()
        return { ...head, body: new Uint8Array(0) }
      }
      return { ...head, body: new Uint8Array(await response.arrayBuffer()) }
    },
    openStream: async (request) => new ResponseLines(await ask(request)),
    close: () => {},
  }
  return { wire, close: () => handler.close() }
}

function requestOf({ method, path, headers, body }: WireRequest): Request {
  const all = new Headers()
  for (const [name, value] of headers) all.append(name, value)
  return new Request(`https://localhost${path}`, {
    method,
    headers: all,
    // An encoded body never lies in shared memory, which is all that the wider type allows for.
    ...(body === undefined
      ? {}
      : { body: body instanceof Uint8Array ? (body as BodyInit) : streamOf(body), duplex: 'half' }),
  })
}

function streamOf(pieces: Iterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.iterator]()
  return new ReadableStream({
    pull: (controller) => {
      const { done, value } = iterator.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
}

function headOf({ status, headers }: Response): Pick<WireAnswer, 'status' | 'headers'> {
  return { status, headers: new Map(headers) }
}

class ResponseLines implements WireStream {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  #text = ''
  /** Of a read that outlived the wait for its line. */
  #reading: Promise<ReadableStreamReadResult<Uint8Array>> | undefined

  constructor(response: Response) {
    const { status, headers } = headOf(response)
    this.status = status
    this.headers = headers
    this.#reader = response.body?.getReader()
  }

  async nextLine(waitMs: number): Promise<string | undefined> {
    const late = new Promise<undefined>((resolve) => {
      setTimeout(() => resolve(undefined), waitMs).unref()
    })
    for (;;) {
      const end = this.#text.indexOf('\n')
      if (end >= 0) {
        const line = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 1)
        return line
      }
      this.#reading ??= this.#reader?.read()
      const part = await Promise.race([this.#reading, late])
      if (part?.value === undefined) return undefined
      this.#reading = undefined
      this.#text += Buffer.from(part.value).toString()
    }
  }

  close(): void {
    void this.#reader?.cancel()
  }
}
