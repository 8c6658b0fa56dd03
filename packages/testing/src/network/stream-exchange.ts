/** The open stream of wake-ups of one device. */
import type { FetchInit, FetchResponse } from '@entidb/sync'
import type { Process } from '../kernel/process.ts'
import { between, randomFor } from '../kernel/random-streams.ts'
import { requestOf } from './exchange.ts'
import type { Network } from './network.ts'
import { SimulatedStream } from './simulated-stream.ts'

/** What is used of the server's side of a stream. */
type ServerReader = ReadableStreamDefaultReader<Uint8Array>

export class StreamExchange {
  readonly device: string
  readonly #network: Network
  readonly #process: Process
  readonly #url: string
  readonly #init: FetchInit
  #client: SimulatedStream | undefined
  #server: ServerReader | undefined
  #fail: (error: unknown) => void = () => {}
  #ended = false
  #atEnd: () => void = () => {}

  constructor(network: Network, process: Process, url: string, init: FetchInit) {
    this.device = process.name
    this.#network = network
    this.#process = process
    this.#url = url
    this.#init = init
  }

  /** `atEnd` is called once it is over. */
  run(atEnd: () => void): Promise<FetchResponse> {
    this.#atEnd = atEnd
    return new Promise((resolve, reject) => {
      this.#fail = reject
      const { signal } = this.#init
      signal.addEventListener('abort', () => {
        reject(signal.reason)
        this.#end()
      })
      this.#process.atEnd(() => this.#end())
      this.#network.options.time.after(this.#latency(), () => this.#arrive(resolve))
    })
  }

  /** The connection is gone. */
  breakOff(): void {
    if (this.#ended) return
    const error = new TypeError('fetch failed: the stream broke off')
    this.#network.options.log.write(this.device, 'stream breaks off')
    this.#fail(error)
    this.#client?.fail(error)
    this.#end()
  }

  #arrive(resolve: (response: FetchResponse) => void): void {
    const { host } = this.#network.options
    if (this.#ended) return
    const isCut = this.#network.isCut(this.device)
    const answering = isCut ? undefined : host.receive(requestOf(this.#url, this.#init))
    if (answering === undefined) {
      this.breakOff()
      return
    }
    const stopHearing = host.onDeath((silent) => {
      if (!silent) this.breakOff()
    })
    const { atEnd } = { atEnd: this.#atEnd }
    this.#atEnd = () => {
      stopHearing()
      atEnd()
    }
    void answering.then((response) => this.#open(response, resolve))
  }

  #open(response: Response, resolve: (response: FetchResponse) => void): void {
    this.#server = response.body?.getReader()
    if (this.#ended) {
      void this.#server?.cancel()
      return
    }
    const client = new SimulatedStream(() => this.#end())
    this.#client = client
    this.#network.options.time.after(this.#latency(), () => {
      if (this.#ended) return
      resolve({ status: response.status, headers: response.headers, body: client })
      void this.#relay(client)
    })
  }

  async #relay(client: SimulatedStream): Promise<void> {
    for (;;) {
      const { done, value } = (await this.#server?.read()) ?? { done: true }
      if (this.#ended) return
      if (done || value === undefined) break
      await new Promise<void>((arrived) => {
        this.#network.options.time.after(this.#latency(), arrived)
      })
      client.push(value)
    }
    client.close()
    this.#end()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    void this.#server?.cancel().catch(() => {})
    this.#atEnd()
  }

  #latency(): number {
    const { seed, time, latencyMs } = this.#network.options
    const [least, most] = latencyMs
    return between(randomFor(seed, 'stream', this.device, time.nowMs), least, most)
  }
}
