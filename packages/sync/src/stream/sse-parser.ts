/** Server-Sent Events, as far as the stream of wake-ups needs them: lines in, events out. */

export interface ServerSentEvent {
  readonly event: string
  readonly data: string
}

/** Most of a line, or of an event, that is kept; a stream that exceeds it is not ours. */
const CHARS_MAX = 8192

export class SseParser {
  readonly #decoder = new TextDecoder()
  #rest = ''
  /** A LF that follows belongs to it. */
  #endedWithCr = false
  #event = ''
  #data: string[] = []
  #dataChars = 0

  /** The events that `chunk` completes. Throws RangeError for a line, or an event, without end. */
  push(chunk: Uint8Array): readonly ServerSentEvent[] {
    const decoded = this.#decoder.decode(chunk, { stream: true })
    const text = this.#endedWithCr && decoded.startsWith('\n') ? decoded.slice(1) : decoded
    if (decoded !== '') this.#endedWithCr = decoded.endsWith('\r')
    const lines = `${this.#rest}${text}`.split(/\r\n|\n|\r/)
    if (lines.some((line) => line.length > CHARS_MAX)) {
      throw new RangeError('Event stream line too long')
    }
    this.#rest = lines.pop() ?? ''
    return lines.flatMap((line) => this.#line(line) ?? [])
  }

  #line(line: string): ServerSentEvent | undefined {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    if (colon === 0) return undefined
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#event = value
    if (field === 'data') this.#addData(value)
    return undefined
  }

  #addData(value: string): void {
    // Each line counts, also an empty one.
    this.#dataChars += value.length + 1
    if (this.#dataChars > CHARS_MAX) throw new RangeError('Event of the event stream too long')
    this.#data.push(value)
  }

  #dispatch(): ServerSentEvent | undefined {
    const event = this.#event === '' ? 'message' : this.#event
    const data = this.#data
    this.#event = ''
    this.#data = []
    this.#dataChars = 0
    return data.length === 0 ? undefined : { event, data: data.join('\n') }
  }
}
