/**
 * Looks after held groups between pulling and pushing: lets go of those that nothing holds any more,
 * asks the resolver about conflicts, and notes what was deferred. Many groups are decided, and the decisions carried
 * out, together.
 */
import type { EntiDBError } from '@entidb/core'
import type { Timers } from '../environment.ts'
import type { StateRow } from '../state/rows.ts'
import type { SyncStore } from '../state/sync-store.ts'
import { askResolver, type Verdict } from './ask-resolver.ts'
import { carryOut, type Decision, RELEASED } from './carry-out.ts'
import type { ConflictResolver, OpenConflict } from './conflict-types.ts'
import { type GroupView, pairOf, restOfSplit, viewGroup } from './group-view.ts'
import { Pace } from './pace.ts'
import { Rest } from './rest.ts'
import { isAwaitingRest, isGroupExhausted } from './rounds.ts'

/** Times a group is looked at again within one step because it moved meanwhile. */
const LOOKS_MAX = 8
/** Groups are decided together until they have so many members ... */
const TOGETHER_ENTITIES_MAX = 500
/** ... or so many bytes ... */
const TOGETHER_BYTES_MAX = 4 * 1024 * 1024
/** ... or it took so long. */
const TOGETHER_MS_MAX = 50

export interface GroupKeeperOptions {
  readonly store: SyncStore
  readonly resolver: ConflictResolver | undefined
  readonly timers: Timers
  /** Lets everything else on the thread have its turn. */
  readonly turn: () => Promise<void>
  readonly resolverTimeLimitMs: number
  readonly onError: (error: EntiDBError) => void
  readonly onConflict: (conflict: OpenConflict) => void
  /** There is something to ask about again. */
  readonly onRested: () => void
}

/** What is to be done about a group. */
interface Duty {
  readonly type: 'ask' | 'defer' | 'release'
  readonly view: GroupView
}

/** Questions that were asked already. */
type Asked = Map<Duty, Promise<Verdict | undefined>>

const LATE = Symbol('late')

export class GroupKeeper {
  readonly #options: GroupKeeperOptions
  readonly #pace: Pace
  readonly #rest: Rest

  constructor(options: GroupKeeperOptions) {
    this.#options = options
    this.#pace = new Pace(options.turn)
    this.#rest = new Rest(options.timers, options.onRested)
  }

  /** One look at every held group. */
  async settleAll(signal: AbortSignal): Promise<void> {
    let groups = this.#groups()
    for (let look = 0; look < LOOKS_MAX && groups.length > 0 && !signal.aborted; look++) {
      await this.#options.store.followFeed()
      groups = await this.#lookAt(groups, signal)
    }
  }

  #groups(): readonly number[] {
    const { store } = this.#options
    const groups = new Set<number>(store.fateGroups)
    for (const { group } of store.notes.values()) if (group !== null) groups.add(group)
    return [...groups]
  }

  /** The groups that are to be looked at again, because they moved meanwhile. */
  async #lookAt(groups: readonly number[], signal: AbortSignal): Promise<readonly number[]> {
    const again: number[] = []
    const rest = new Set(groups)
    while (rest.size > 0 && !signal.aborted) {
      const { duties, behind } = await this.#nextDuties(rest)
      again.push(...behind)
      const asked: Asked = new Map()
      for (let done = 0; done < duties.length && !signal.aborted; ) {
        const decisions = await this.#decideSome(duties.slice(done), asked, signal)
        done += decisions.length
        again.push(...(await carryOut(decisions, { ...this.#options, pace: this.#pace })))
      }
    }
    return again
  }

  /** Takes groups out of `rest`, with all that local transactions tie to them: until there is enough to do. */
  #nextDuties(
    rest: Set<number>,
  ): Promise<{ readonly duties: readonly Duty[]; readonly behind: readonly number[] }> {
    const { store } = this.#options
    return store.read(async (tx) => {
      const duties: Duty[] = []
      const behind: number[] = []
      const size = { entities: 0, bytes: 0 }
      for (const group of rest) {
        const view = await viewGroup(tx, group, store.edits)
        await this.#pace.after(view)
        for (const each of view.groups) rest.delete(each)
        if (view.isBehind) {
          behind.push(...view.groups)
          continue
        }
        const type = this.#dutyOf(view)
        if (type === undefined) continue
        duties.push({ type, view })
        size.entities += view.members.size
        size.bytes += bytesOf(view)
        if (size.entities >= TOGETHER_ENTITIES_MAX || size.bytes >= TOGETHER_BYTES_MAX) break
      }
      return { duties, behind }
    })
  }

  /** Undefined: nothing to do. */
  #dutyOf(view: GroupView): Duty['type'] | undefined {
    const { store, resolver } = this.#options
    const members = [...view.members.values()]
    const conflicts = members.filter(({ conflict }) => conflict !== null)
    const rejected = members.some(({ note }) => note.rejection !== null)
    if (conflicts.length === 0) {
      return rejected && !isEdited(view, store.state) ? undefined : 'release'
    }
    if (!view.isReceived) return undefined
    if (conflicts.every((each) => each.conflict?.deferred === pairOf(each))) {
      const isRested = !this.#rest.isOn && conflicts.some(({ note }) => isAwaitingRest(note))
      return resolver !== undefined && isRested ? 'ask' : undefined
    }
    return resolver === undefined || isGroupExhausted(conflicts) ? 'defer' : 'ask'
  }

  /**
   * The decisions on the first of `duties`, at least one unless aborted. What was decided does not wait for a
   * resolver that takes its time: its answer is `asked` for already when this is called again.
   */
  async #decideSome(
    duties: readonly Duty[],
    asked: Asked,
    signal: AbortSignal,
  ): Promise<readonly Decision[]> {
    const decisions: Decision[] = []
    let cancel = (): void => {}
    const late = new Promise<typeof LATE>((resolve) => {
      cancel = this.#options.timers.after(TOGETHER_MS_MAX, () => resolve(LATE))
    })
    try {
      for (const duty of duties) {
        const answer = asked.get(duty) ?? this.#verdictOn(duty, signal)
        asked.set(duty, answer)
        const verdict = await (decisions.length === 0 ? answer : Promise.race([answer, late]))
        if (verdict === LATE || signal.aborted) break
        decisions.push({ asked: duty.view, verdict })
        await this.#pace.after(duty.view)
      }
    } finally {
      cancel()
    }
    return decisions
  }

  async #verdictOn({ type, view }: Duty, signal: AbortSignal): Promise<Verdict | undefined> {
    const { resolver, timers, resolverTimeLimitMs: timeLimitMs, onError } = this.#options
    if (type === 'release') return RELEASED
    if (resolver === undefined) return undefined
    if (type === 'defer') {
      this.#rest.begin(signal)
      return undefined
    }
    return askResolver(resolver, view, { timers, timeLimitMs, signal, onError })
  }
}

/** There are edits since it is held. The rest of a transaction that is held in parts is none. */
function isEdited({ groups, transactions }: GroupView, state: StateRow): boolean {
  const rest = restOfSplit(state, groups)
  return transactions.some(({ transactionId }) => transactionId !== rest)
}

/** The bytes of both sides, and of what they have in common. */
function bytesOf({ members }: GroupView): number {
  let bytes = 0
  for (const { state, conflict } of members.values()) {
    for (const each of [state, state.base, conflict?.remote]) bytes += each?.bytes?.length ?? 0
  }
  return bytes
}
