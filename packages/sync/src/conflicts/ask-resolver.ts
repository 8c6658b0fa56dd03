/**
 * Asks the application's resolver about a group, within a time limit. Whatever goes wrong means `defer`:
 * a resolver can only settle a conflict on purpose.
 */
import { EntiDBError, isEntiDBError } from '@entidb/core'
import { entityKey } from '../entity-ref.ts'
import type { Timers } from '../environment.ts'
import type { ConflictResolver, Resolution } from './conflict-types.ts'
import type { GroupView, MemberView } from './group-view.ts'
import type { Answer, SettledHow } from './settle-group.ts'
import { baseSide, groupMember, localSide, remoteSide } from './sides.ts'

export interface AskOptions {
  readonly timers: Timers
  readonly timeLimitMs: number
  readonly signal: AbortSignal
  readonly onError: (error: EntiDBError) => void
}

export interface Verdict {
  readonly answers: ReadonlyMap<string, Answer>
  readonly how: SettledHow
}

/** Undefined: defer. */
export async function askResolver(
  resolver: ConflictResolver,
  view: GroupView,
  options: AskOptions,
): Promise<Verdict | undefined> {
  try {
    return await withTimeLimit(options, (signal) => ask(resolver, view, signal))
  } catch (error) {
    if (!options.signal.aborted) options.onError(resolverFailed(error))
    return undefined
  }
}

async function ask(
  resolver: ConflictResolver,
  view: GroupView,
  signal: AbortSignal,
): Promise<Verdict | undefined> {
  const members = [...view.members.values()]
  if (resolver.resolveGroup !== undefined && members.length > 1) {
    const answer = await resolver.resolveGroup(members.map(groupMember), { signal })
    return Array.isArray(answer)
      ? verdictByMember(members, answer)
      : // Array.isArray does not narrow a readonly array away.
        verdictForAll(members, answer as Resolution)
  }
  return verdictOfConflicts(members, await askEach(resolver, members, signal))
}

async function askEach(
  resolver: ConflictResolver,
  members: readonly MemberView[],
  signal: AbortSignal,
): Promise<ReadonlyMap<MemberView, Resolution>> {
  const resolutions = new Map<MemberView, Resolution>()
  const locals = members.map(localSide)
  for (const [index, member] of members.entries()) {
    const remote = remoteSide(member)
    const local = locals[index]
    if (remote === undefined || local === undefined) continue
    const context = {
      base: baseSide(member),
      // Made for those who look at it: of a large group it is large, and asked about with each of its members.
      get group() {
        return locals.filter((each) => each !== local)
      },
      signal,
    }
    resolutions.set(member, await resolver.resolve(local, remote, context))
  }
  return resolutions
}

/** One `defer` holds the group, one `takeRemote` drops it; else every member is pushed again. */
function verdictOfConflicts(
  members: readonly MemberView[],
  resolutions: ReadonlyMap<MemberView, Resolution>,
): Verdict | undefined {
  const types = new Set([...resolutions.values()].map(typeOf))
  if (types.has('defer')) return undefined
  if (types.has('takeRemote')) return verdictForAll(members, { type: 'takeRemote' })
  const answers = new Map<string, Answer>()
  for (const [{ ref }, resolution] of resolutions) {
    answers.set(entityKey(ref), answerOf(resolution, ref.entityId))
  }
  return { answers, how: types.has('merge') ? 'merge' : 'keepLocal' }
}

function verdictForAll(
  members: readonly MemberView[],
  resolution: Resolution,
): Verdict | undefined {
  const type = typeOf(resolution)
  if (type === 'defer') return undefined
  if (type === 'merge') throw new TypeError('resolveGroup must answer merge for each member')
  return { answers: new Map(members.map(({ ref }) => [entityKey(ref), { type }])), how: type }
}

function verdictByMember(
  members: readonly MemberView[],
  resolutions: readonly Resolution[],
): Verdict | undefined {
  if (resolutions.length !== members.length) {
    throw new TypeError(`resolveGroup must answer for each of ${members.length} members`)
  }
  const types = new Set(resolutions.map(typeOf))
  if (types.has('defer')) return undefined
  const answers = new Map<string, Answer>()
  for (const [index, { ref }] of members.entries()) {
    // As many resolutions as members: checked above.
    answers.set(entityKey(ref), answerOf(resolutions[index] as Resolution, ref.entityId))
  }
  const [only] = types
  return { answers, how: types.size === 1 && only !== undefined ? howOf(only) : 'mixed' }
}

function howOf(type: Resolution['type']): SettledHow {
  return type === 'defer' ? 'mixed' : type
}

export function answerOf(resolution: Resolution, entityId: string): Answer {
  switch (typeOf(resolution)) {
    case 'takeRemote':
      return { type: 'takeRemote' }
    case 'merge':
      return mergeOf(resolution, entityId)
    default:
      return { type: 'keepLocal' }
  }
}

function mergeOf(resolution: Resolution, entityId: string): Answer {
  if (resolution.type !== 'merge' || resolution.entity?.id !== entityId) {
    throw new TypeError(`merge needs an entity with the id ${entityId}`)
  }
  return { type: 'merge', entity: resolution.entity }
}

/** The type of what an application returned, which may be anything. */
export function typeOf(resolution: Resolution): Resolution['type'] {
  const type: unknown = resolution?.type
  if (type === 'takeRemote' || type === 'keepLocal' || type === 'merge' || type === 'defer') {
    return type
  }
  throw new TypeError(`Not a resolution: ${String(type)}`)
}

async function withTimeLimit<R>(
  { timers, timeLimitMs, signal }: AskOptions,
  run: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  const limit = new AbortController()
  const abort = (): void => limit.abort(signal.reason)
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  const cancel = timers.after(timeLimitMs, () =>
    limit.abort(new Error(`The conflict resolver took longer than ${timeLimitMs} ms`)),
  )
  try {
    return await Promise.race([run(limit.signal), whenAborted(limit.signal)])
  } finally {
    cancel()
    signal.removeEventListener('abort', abort)
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason))
  })
}

function resolverFailed(cause: unknown): EntiDBError {
  if (isEntiDBError(cause)) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new EntiDBError('resolver_failed', `The conflict stays open: ${reason}`, { cause })
}
