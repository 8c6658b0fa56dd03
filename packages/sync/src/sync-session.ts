/** Everything that works on one opened database: built once, when sync first needs it. */
import type { EntiDBError } from '@entidb/core'
import { DEFAULT_LIMITS } from '@entidb/protocol'
import type { ChangeSignal } from './change-signal.ts'
import type { Settings } from './config.ts'
import { GroupKeeper } from './conflicts/group-keeper.ts'
import { Cycle } from './cycle/cycle.ts'
import { CycleDriver } from './cycle/cycle-driver.ts'
import type { CycleTotals, SyncContext } from './cycle/sync-context.ts'
import type { SyncEmitter } from './events.ts'
import type { FateWatch } from './fates/fate-watch.ts'
import { pruneFates } from './fates/prune-fates.ts'
import { pruneCommitted } from './ledger/record-committed.ts'
import { pruneKept } from './ledger/record-kept.ts'
import { ProgressMeter } from './progress/progress-meter.ts'
import { Puller } from './pull/puller.ts'
import { Pusher } from './push/pusher.ts'
import type { Engine } from './state/engine.ts'
import { openSyncStore } from './state/open-state.ts'
import type { SyncStore } from './state/sync-store.ts'
import type { SyncTransaction } from './state/sync-transaction.ts'
import type { StatusBoard } from './status.ts'
import { StreamFollower } from './stream/stream-follower.ts'
import type { SyncTrace } from './trace/sync-trace.ts'
import { HttpTransport } from './transport/http-transport.ts'
import { TokenSource } from './transport/token-source.ts'

export interface SessionParts {
  readonly engine: Engine
  readonly settings: Settings
  readonly emitter: SyncEmitter
  readonly board: StatusBoard
  readonly fates: FateWatch
  readonly changes: ChangeSignal
  readonly trace: SyncTrace
}

export interface SyncSession {
  readonly store: SyncStore
  readonly context: SyncContext
  readonly driver: CycleDriver
  readonly transport: HttpTransport
  /** Undefined when the stream is switched off. */
  readonly stream: StreamFollower | undefined
}

/** Answers are bounded by what a server may send in one page, with room for one large entity. */
const RESPONSE_BYTES_MAX = 64 * 1024 * 1024

/** Errors: `change_feed_off`, and what reading the database throws. */
export async function openSession(parts: SessionParts): Promise<SyncSession> {
  const { engine, settings, emitter, board, fates, changes } = parts
  const { environment, dbId, deviceId } = settings
  const progress = new ProgressMeter(board)
  let store: SyncStore | undefined
  const changed = (): void => {
    if (store === undefined) return
    showState(store, board, progress)
    fates.look(store)
    changes.give()
  }
  const opened = await openSyncStore(engine, dbId, deviceId, {
    changed,
    now: environment.now,
    newDeviceId: environment.randomId,
    ledger: settings.ledger,
    versions: fates.versions,
  })
  store = opened.store
  await store.transaction(pruneLedger)
  board.set({ phase: 'idle' })
  changed()
  if (opened.renamed) {
    emitter.emit('device', { reason: 'renamed', deviceId: store.state.deviceId })
  }
  const transport = transportOf(parts)
  const context = contextOf(parts, store, transport, progress)
  const driver = driverOf(parts, context)
  const stream = settings.stream
    ? new StreamFollower({
        open: (signal) => transport.stream(dbId, signal),
        timers: environment.timers,
        random: environment.random,
        onOpen: () => {
          context.following = { head: undefined }
        },
        onHead: (head) => {
          if (context.following !== null) context.following.head = head
          driver.wakeIfBehind()
        },
        onEnd: () => {
          context.following = null
        },
      })
    : undefined
  return { store, context, driver, transport, stream }
}

async function pruneLedger(tx: SyncTransaction): Promise<void> {
  await pruneFates(tx)
  await pruneCommitted(tx)
  await pruneKept(tx)
}

/** What the status says of the stored state. */
function showState(store: SyncStore, board: StatusBoard, meter: ProgressMeter): void {
  const pending = store.edits.size + (store.frozen?.ops.length ?? 0)
  meter.look(pending)
  const { progress } = meter
  board.set({ cursor: store.state.cursor, pending, held: store.heldCount, progress })
}

function transportOf({ settings, board, trace }: SessionParts): HttpTransport {
  const { environment, serverUrl, requestTimeoutMs, authTokenProvider } = settings
  return new HttpTransport({
    serverUrl,
    fetch: environment.fetch,
    tokens: new TokenSource(authTokenProvider),
    timers: environment.timers,
    requestTimeoutMs,
    responseBytesMax: RESPONSE_BYTES_MAX,
    onContact: (online) => board.set({ online }),
    onExchange: (exchange) => trace.add({ kind: 'request', ...exchange }),
  })
}

function contextOf(
  parts: SessionParts,
  store: SyncStore,
  transport: HttpTransport,
  progress: ProgressMeter,
): SyncContext {
  const { settings, emitter, board } = parts
  const { environment } = settings
  return {
    store,
    transport,
    emitter,
    board,
    fates: parts.fates,
    progress,
    replicaId: parts.engine.identity.replicaId,
    clientInfo: settings.clientInfo,
    now: environment.now,
    turn: environment.turn,
    greeted: false,
    limits: DEFAULT_LIMITS,
    capabilities: undefined,
    serverEntities: undefined,
    touched: undefined,
    head: 0,
    following: null,
  }
}

function driverOf(parts: SessionParts, context: SyncContext): CycleDriver {
  const { settings, emitter, board, trace } = parts
  const { environment } = settings
  const { store } = context
  const keeper = new GroupKeeper({
    store,
    resolver: settings.conflictResolver,
    timers: environment.timers,
    turn: environment.turn,
    resolverTimeLimitMs: settings.resolverTimeLimitMs,
    onError: (error) => emitter.emit('error', error),
    onConflict: (conflict) => emitter.emit('conflict', conflict),
    onRested: () => driver.wake(),
  })
  const steps = { context, keeper, pusher: new Pusher(context), puller: new Puller(context) }
  let told: string | undefined = board.status.lastError?.code
  const driver = new CycleDriver({
    cycle: new Cycle(steps, (phase, lastError) => {
      trace.add({ kind: 'state', state: phase })
      // All at once: a phase without what led to it would be told as well.
      if (lastError === undefined) board.set({ phase })
      else if (lastError !== null) board.set({ phase, lastError })
      else board.set({ phase, lastError, lastSyncAt: environment.now() })
    }),
    timers: environment.timers,
    random: environment.random,
    pollIntervalMs: settings.pollIntervalMs,
    turn: environment.turn,
    isBehind: () => (context.following?.head ?? 0) > store.state.cursor,
    onSuccess: (totals: CycleTotals) => {
      trace.add({ kind: 'cycle', outcome: 'ok', counts: { ...totals } })
      told = undefined
    },
    onFailure: (error) => {
      trace.add({ kind: 'cycle', outcome: error.code, counts: {} })
      if (error.code === 'sync_stopped') return
      board.set({ lastError: error })
      // A failure that goes on is told once.
      if (told !== error.code) tellFailure(error, emitter, store)
      told = error.code
    },
  })
  return driver
}

function tellFailure(error: EntiDBError, emitter: SyncEmitter, store: SyncStore): void {
  emitter.emit('error', error)
  if (error.code === 'unauthorized') emitter.emit('unauthorized', error)
  if (error.code === 'device_conflict') {
    emitter.emit('device', { reason: 'superseded', deviceId: store.state.deviceId })
  }
}
