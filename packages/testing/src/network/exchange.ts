/** One request and its answer. */
import type { Random } from '@entidb/core/conformance'
import { PUSH_PATH } from '@entidb/protocol'
import type { FetchInit, FetchResponse } from '@entidb/sync'
import type { Process } from '../kernel/process.ts'
import { between } from '../kernel/random-streams.ts'
import { describeRequest, describeResponse, senderOf } from './describe.ts'
import type { MessageFault } from './faults.ts'
import type { Network } from './network.ts'
import { SimulatedStream } from './simulated-stream.ts'

export interface ExchangeParts {
  readonly process: Process
  readonly url: string
  readonly init: FetchInit
  readonly index: number
  readonly fault: MessageFault | undefined
  readonly random: Random
}

/** How late a copy may come that got stuck on its way. */
const LATE_MS_MAX = 90_000
/** How long a second copy follows the first one at most. */
const TWICE_MS_MAX = 300

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array
}

export class Exchange {
  readonly #network: Network
  readonly #parts: ExchangeParts
  readonly #thereMs: number
  readonly #backMs: number
  readonly #copyMs: number
  readonly #cutAt: number
  #settled = false
  #resolve: (response: FetchResponse) => void = () => {}
  #reject: (error: unknown) => void = () => {}

  constructor(network: Network, parts: ExchangeParts) {
    this.#network = network
    this.#parts = parts
    const [least, most] = network.options.latencyMs
    const { random, fault } = parts
    this.#thereMs = between(random, least, most)
    this.#backMs = between(random, least, most)
    this.#copyMs = 1 + random.below(fault === 'late' ? LATE_MS_MAX : TWICE_MS_MAX)
    this.#cutAt = random.next()
  }

  run(): Promise<FetchResponse> {
    const { process, init, fault } = this.#parts
    const request = describeRequest(this.#parts.url, init.body)
    const deviceId = senderOf(this.#parts.url, init.body)
    if (deviceId !== undefined) this.#network.options.onPush(process.name, deviceId)
    this.#log(`-> ${request}${fault === undefined ? '' : `  [${fault}]`}`)
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      const abort = (): void => this.#settle(() => reject(init.signal.reason))
      init.signal.addEventListener('abort', abort)
      process.atEnd(() => {
        this.#settled = true
      })
      if (init.signal.aborted) abort()
      else this.#send()
    })
  }

  #send(): void {
    const { time } = this.#network.options
    const { fault, process } = this.#parts
    const { gate } = this.#network
    if (gate !== undefined) {
      gate.holdRequest({
        process,
        isPush: new URL(this.#parts.url).pathname === PUSH_PATH,
        deliver: () => this.#arrive(true),
      })
      return
    }
    if (fault === 'vanish') return
    if (fault === 'refuse') {
      this.#failAfter(this.#thereMs, 'lost')
      return
    }
    time.after(this.#thereMs, () => this.#arrive(true))
    if (fault === 'twice' || fault === 'late') {
      time.after(this.#thereMs + this.#copyMs, () => this.#arrive(false))
    }
  }

  /** At the server. Only the first copy is answered. */
  #arrive(isFirst: boolean): void {
    const { host } = this.#network.options
    const { process, url, init } = this.#parts
    if (this.#network.isCut(process.name)) {
      if (isFirst) this.#failAfter(this.#backMs, 'unreachable')
      return
    }
    if (!isFirst) this.#log('a copy arrives')
    const answering = host.receive(requestOf(url, init))
    if (answering === undefined) {
      if (isFirst) this.#failAfter(this.#backMs, 'refused')
      return
    }
    const ended = host.onDeath((silent) => {
      if (isFirst && !silent) this.#failAfter(this.#backMs, 'reset')
    })
    void answering.then(async (response) => {
      const answer = await readAnswer(response)
      ended()
      const { status, body } = answer
      const device = this.#parts.process.name
      this.#network.options.onAnswer({ device, url, body: init.body, status, answer: body })
      if (isFirst) this.#answer(answer)
    })
  }

  #answer(answer: Answer): void {
    const { fault, process } = this.#parts
    const { time } = this.#network.options
    if (fault === 'vanishAfter') return
    if (fault === 'lose' || fault === 'late') {
      this.#failAfter(this.#backMs, 'answer lost')
      return
    }
    const { gate } = this.#network
    const deliver = (): void => this.#deliver(answer)
    if (gate === undefined) time.after(this.#backMs, deliver)
    else gate.holdAnswer({ process, deliver, lose: () => this.#fail('answer lost') })
  }

  #deliver(answer: Answer): void {
    if (this.#network.isCut(this.#parts.process.name)) {
      this.#fail('answer lost')
      return
    }
    this.#settle(() => {
      this.#log(`<- ${describeResponse(this.#parts.url, answer.status, answer.body)}`)
      this.#resolve(this.#responseOf(answer))
    })
  }

  #responseOf({ status, headers, body }: Answer): FetchResponse {
    if (this.#parts.fault !== 'cut') return { status, headers, body: SimulatedStream.of(body) }
    const cut = body.subarray(0, Math.floor(body.length * this.#cutAt))
    return { status, headers, body: SimulatedStream.of(cut, new TypeError('terminated')) }
  }

  #failAfter(delayMs: number, how: string): void {
    this.#network.options.time.after(delayMs, () => this.#fail(how))
  }

  #fail(how: string): void {
    this.#settle(() => {
      this.#log(`<- ${how}`)
      this.#reject(new TypeError(`fetch failed: ${how}`))
    })
  }

  /** Once, and never for a process that is gone. */
  #settle(how: () => void): void {
    if (this.#settled) return
    this.#settled = true
    how()
  }

  #log(what: string): void {
    this.#network.options.log.write(this.#parts.process.name, `#${this.#parts.index} ${what}`)
  }
}

/** A request as the server gets it. Nobody inflates here what a platform's fetch would: no gzip is asked for. */
export function requestOf(url: string, { method, headers, body }: FetchInit): Request {
  const { 'Accept-Encoding': _, ...rest } = headers
  return new Request(url, { method, headers: rest, ...(body === undefined ? {} : { body }) })
}

async function readAnswer(response: Response): Promise<Answer> {
  const body = new Uint8Array(await response.arrayBuffer())
  return { status: response.status, headers: response.headers, body }
}
