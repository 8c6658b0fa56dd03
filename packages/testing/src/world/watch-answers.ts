/**
 * Looks at what the server answers, before anything happens to it on its way. Keeps: a page has all it must have, and
 * one for a device that keeps up has everything.
 */
import {
  decodeErrorResponse,
  decodePullRequest,
  decodePullResponse,
  HANDSHAKE_PATH,
  PULL_PATH,
  type PullRequest,
  type PullResponse,
} from '@entidb/protocol'
import type { Tally } from '../kernel/tally.ts'
import type { AnsweredRequest } from '../network/network.ts'
import type { ServerView } from '../oracle/server-view.ts'
import { Violation } from '../oracle/violation.ts'

/** Compaction waits for who was seen within it (`docs/decisions/0010-oplog-compaction.md`). */
const LIVE_MS = 24 * 3_600_000

interface Sighting {
  readonly cursor: number
  readonly atMs: number
}

export class AnswerWatch {
  readonly #server: ServerView
  readonly #tally: Tally
  readonly #now: () => number
  readonly #onSnapshotPage: (device: string, head: number) => void
  /** Devices of which no page lacked anything, up to the head, by deviceId. */
  readonly #seen = new Map<string, Sighting>()
  /** Who shook hands since they, or the server, went back to other files. */
  readonly #following = new Set<string>()
  #isCleared = false

  /** `now`: the server's clock. `onSnapshotPage`: told which head a page of a snapshot was read at, and for whom. */
  constructor(
    server: ServerView,
    tally: Tally,
    now: () => number,
    onSnapshotPage: (device: string, head: number) => void,
  ) {
    this.#server = server
    this.#tally = tally
    this.#now = now
    this.#onSnapshotPage = onSnapshotPage
  }

  look({ device, url, body, status, answer }: AnsweredRequest): void {
    const { pathname } = new URL(url)
    if (pathname === HANDSHAKE_PATH && status === 200) this.#following.add(device)
    if (body === undefined || pathname !== PULL_PATH) return
    if (status !== 200) {
      if (decodeErrorResponse(answer).code !== 'cursor_expired') return
      this.#tally.count('cursorExpired')
      // It was told to begin again: it does not keep up.
      this.#seen.delete(decodePullRequest(body).deviceId ?? '')
      return
    }
    const request = decodePullRequest(body)
    const { sinceCursor } = request
    const page = decodePullResponse(answer)
    if (page.snapshot !== undefined) {
      this.#lookAtSnapshot(device, request, page)
      return
    }
    const { ops, nextCursor, purgedThrough = 0, hasMore } = page
    const missing = this.#server.past.assertServed({ sinceCursor, nextCursor, ops, purgedThrough })
    // The other part of what a page ends with may be missing behind its end.
    if (missing !== undefined || sinceCursor === 0 || hasMore) this.#isCleared = true
    if (missing === undefined) this.#note(request, hasMore)
    else {
      this.#tally.count('compactedPage')
      if (this.#keepsUp(request)) {
        throw new Violation(`${request.deviceId} keeps up, but ${missing} was taken from its page`)
      }
    }
  }

  /** Whether some page since the last time may have shown that the server cleared its log. */
  takeCleared(): boolean {
    const isCleared = this.#isCleared
    this.#isCleared = false
    return isCleared
  }

  /** Whether the device had a chance to notice what a restore did: until then its cursor says nothing, and it waits for its poll. */
  isFollowing(device: string): boolean {
    return this.#following.has(device)
  }

  /** The device has other files from now on; undefined: the server has. */
  wentBack(device?: string): void {
    if (device === undefined) this.#following.clear()
    else this.#following.delete(device)
  }

  /** The server may have forgotten whom it saw, or take somebody for another. */
  forget(): void {
    this.#seen.clear()
  }

  #lookAtSnapshot(device: string, { snapshot: asked }: PullRequest, page: PullResponse): void {
    const { ops, snapshot, head = 0, purgedThrough = 0 } = page
    const { after } = asked ?? {}
    const through = snapshot?.after
    this.#server.past.assertInSnapshot({ after, through, head, ops, purgedThrough })
    this.#onSnapshotPage(device, head)
    this.#isCleared = true
    if (through !== undefined) this.#tally.count('snapshotPage')
    if (snapshot !== undefined && snapshot.through < head) this.#tally.count('snapshotMoved')
  }

  #keepsUp({ deviceId = '', sinceCursor }: PullRequest): boolean {
    const seen = this.#seen.get(deviceId)
    // A late copy of a request may ask for what was cleared before.
    return seen !== undefined && sinceCursor >= seen.cursor && this.#now() - seen.atMs < LIVE_MS
  }

  #note(request: PullRequest, hasMore: boolean): void {
    const { deviceId = '', sinceCursor } = request
    if (sinceCursor > 0 && (!hasMore || this.#keepsUp(request))) {
      this.#seen.set(deviceId, { cursor: sinceCursor, atMs: this.#now() })
    } else this.#seen.delete(deviceId)
  }
}
