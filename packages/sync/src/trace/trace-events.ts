/** Puts events of the client into its trace, without what they speak of. */
import type { SyncEmitter } from '../events.ts'
import type { SyncTrace } from './sync-trace.ts'

/** A server's policy names its codes as it likes. */
const CODE = /^[a-z0-9_]{1,40}$/

export function traceEvents(emitter: SyncEmitter, trace: SyncTrace): void {
  const add = (event: string, what: string | null = null): void =>
    trace.add({ kind: 'event', event, what })
  emitter.on('conflict', () => add('conflict'))
  emitter.on('rejected', ({ code }) => add('rejected', CODE.test(code) ? code : null))
  emitter.on('resync', ({ phase, reason }) => add('resync', `${reason} ${phase}`))
  emitter.on('epoch', ({ point, recovered }) => add('epoch', `${recovered} beyond ${point}`))
  emitter.on('device', ({ reason }) => add('device', reason))
  emitter.on('error', ({ code }) => add('error', code))
  emitter.on('split', () => add('split'))
  emitter.on('violation', () => add('violation'))
}
