/** Port: HTTPS as the rules need it. Nothing is added to a request, and nothing is taken from an answer. */

export type Header = readonly [name: string, value: string]

export interface WireRequest {
  readonly method: string
  /** With its query, as it goes out. */
  readonly path: string
  /** Sent in this order, twice if they are there twice. */
  readonly headers: readonly Header[]
  /** In pieces: sent one by one until an answer comes, and chunked unless a Content-Length is given. */
  readonly body?: Uint8Array | Iterable<Uint8Array>
}

export interface WireAnswer {
  readonly status: number
  /** By name in small letters. */
  readonly headers: ReadonlyMap<string, string>
  /** As it came: not inflated. Empty for a stream of events, whose end is not waited for. */
  readonly body: Uint8Array
}

/** A body that may never end. */
export function isEventStream(headers: ReadonlyMap<string, string>): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') ?? false
}

export interface WireStream {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  /** The next line without its end; undefined at the end of the stream, or when none came in time. */
  nextLine(waitMs: number): Promise<string | undefined>
  close(): void
}

export interface Wire {
  /** Rejects when there is no whole answer. */
  exchange(request: WireRequest): Promise<WireAnswer>
  /** The answer's headers are there; its body comes line by line. */
  openStream(request: WireRequest): Promise<WireStream>
  /** Ends all connections. */
  close(): void
}
