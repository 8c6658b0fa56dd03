/**
 * The network between devices and the server: every message takes its own time, and meets the fault that the
 * plan has for it. Requests and answers are real ones; only the sockets are missing.
 */
import type { FetchInit, FetchLike, FetchResponse } from '@entidb/sync'
import type { EventLog } from '../kernel/event-log.ts'
import type { Process } from '../kernel/process.ts'
import { randomFor } from '../kernel/random-streams.ts'
import type { VirtualTime } from '../kernel/virtual-time.ts'
import { Exchange } from './exchange.ts'
import type { FaultSource } from './faults.ts'
import { StreamExchange } from './stream-exchange.ts'

/** What stands at the other end. */
export interface Host {
  /**
   * The answer, and what ends the exchange when the server dies. Undefined: nobody listens, the
   * connection is refused.
   */
  receive(request: Request): Promise<Response> | undefined
  /** Told when the server dies; the answer ends it. `silent`: as with the power, nobody says so. */
  onDeath(listener: (silent: boolean) => void): () => void
}

/** On its way to the server. */
export interface HeldRequest {
  readonly process: Process
  /** The server may write something on it. Whatever else a device asks for, it only reads. */
  readonly isPush: boolean
  /** Lets it arrive, once. */
  readonly deliver: () => void
}

/** On its way to the device. */
export interface HeldAnswer {
  readonly process: Process
  /** Lets it arrive, once. */
  readonly deliver: () => void
  /** Instead of that: the device learns that it is lost. */
  readonly lose: () => void
}

/** Decides when messages arrive, instead of time. */
export interface Gate {
  holdRequest(request: HeldRequest): void
  holdAnswer(answer: HeldAnswer): void
}

/** A request, and what the server made of it. */
export interface AnsweredRequest {
  /** Who asked. */
  readonly device: string
  readonly url: string
  readonly body: Uint8Array | undefined
  readonly status: number
  readonly answer: Uint8Array
}

export interface NetworkOptions {
  readonly time: VirtualTime
  readonly log: EventLog
  readonly seed: number
  readonly faults: FaultSource
  /** Shortest and longest way of a message, in milliseconds. */
  readonly latencyMs: readonly [number, number]
  readonly host: Host
  /** Told under which deviceId a device pushes. */
  readonly onPush: (device: string, deviceId: string) => void
  /** Told of each answer, whether or not it arrives. */
  readonly onAnswer: (answered: AnsweredRequest) => void
}

export class Network {
  readonly options: NetworkOptions
  gate: Gate | undefined
  /** Nothing goes wrong any more. */
  healed = false
  readonly #cut = new Set<string>()
  readonly #requests = new Map<string, number>()
  readonly #streams = new Set<StreamExchange>()

  constructor(options: NetworkOptions) {
    this.options = options
  }

  /** No message of the device gets through, in either direction. */
  partition(device: string): void {
    this.#cut.add(device)
    this.endStreams(device)
  }

  reconnect(device: string): void {
    this.#cut.delete(device)
  }

  isCut(device: string): boolean {
    return this.#cut.has(device)
  }

  heal(): void {
    this.healed = true
    this.#cut.clear()
  }

  endStreams(device: string): void {
    for (const stream of [...this.#streams]) if (stream.device === device) stream.breakOff()
  }

  /** The `fetch` of one life of a device. */
  fetchOf(process: Process): FetchLike {
    return (url, init) => this.#fetch(process, url, init)
  }

  #fetch(process: Process, url: string, init: FetchInit): Promise<FetchResponse> {
    const device = process.name
    if (!process.alive) return new Promise(() => {})
    if (init.method === 'GET') {
      const stream = new StreamExchange(this, process, url, init)
      this.#streams.add(stream)
      return stream.run(() => this.#streams.delete(stream))
    }
    const index = this.#requests.get(device) ?? 0
    this.#requests.set(device, index + 1)
    const fault = this.healed ? undefined : this.options.faults.next(device, index)
    const random = randomFor(this.options.seed, 'network', device, index)
    return new Exchange(this, { process, url, init, index, fault, random }).run()
  }
}
