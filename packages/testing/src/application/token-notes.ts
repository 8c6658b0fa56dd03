/**
 * The application that is simulated when none is given. Every edit of a note adds a token that no other edit adds,
 * so that an edit that was lost or overwritten is a token that is missing; accounts are made for transfers, which
 * keep the sum; `twins` have so few different contents that devices often write the same bytes.
 */
import { type CollectionDefinition, defineCollection, type Transaction } from '@entidb/core'
import type { Random } from '@entidb/core/conformance'
import type { ConflictResolver, Resolution } from '@entidb/sync'
import { between, pick } from '../kernel/random-streams.ts'
import {
  type ActionContext,
  type Application,
  defineApplication,
  defineVersion,
} from './application.ts'

interface Note {
  readonly id: string
  readonly tokens: readonly string[]
}

/** Of the second version of the application. */
interface NoteWithTopics extends Note {
  /** Each is named by a token, too. */
  readonly topics: readonly string[]
}

/** Older code may have edited what newer code wrote. */
type MaybeRenewed = Note & Partial<NoteWithTopics>

interface Account {
  readonly id: string
  readonly balance: number
  /** The transfer that made it so: two equal transfers are two. */
  readonly last: string
}

interface Twin {
  readonly id: string
  readonly value: number
}

/** Of its first version. */
export const noteCollections: {
  readonly notes: CollectionDefinition<Note>
  readonly accounts: CollectionDefinition<Account>
  readonly twins: CollectionDefinition<Twin>
} = {
  notes: defineCollection<Note>({ indexes: { tokens: ['tokens'] } }),
  accounts: defineCollection<Account>({}),
  twins: defineCollection<Twin>({}),
}

const renewedCollections = {
  ...noteCollections,
  notes: defineCollection<NoteWithTopics>({
    version: 2,
    migrations: { 2: ({ topics = [], ...note }: MaybeRenewed) => ({ ...note, topics }) },
    indexes: { tokens: ['tokens'], topics: ['topics'] },
  }),
}

type Tx = Transaction<typeof noteCollections>

/** Few entities make conflicts, many make cold ones. */
export interface TokenNotesOptions {
  /** Notes that devices edit. */
  readonly notes: number
  /** Accounts between which they transfer. */
  readonly accounts: number
  /** Entities that they often bring to the same content. */
  readonly twins: number
}

const BALANCE = 100
/** A note with this token is refused by the server. */
const POISON = 'poison'
const TOPIC = 'topic '

/** Notes, accounts and twins. */
export function tokenNotes({ notes, accounts, twins }: TokenNotesOptions): Application {
  const noteId = (random: Random): string => `n${random.below(notes)}`
  const accountId = (random: Random): string => `a${random.below(accounts)}`
  return defineApplication({
    collections: noteCollections,
    async setUp(tx) {
      for (let i = 0; i < accounts; i++) {
        await tx.collection('accounts').put({ id: `a${i}`, balance: BALANCE, last: 'setUp' })
      }
    },
    actions: {
      edit: { weight: 8, run: (tx, { random, unique }) => addToken(tx, noteId(random), unique) },
      editTwo: {
        weight: 2,
        async run(tx, { random, unique }) {
          await addToken(tx, noteId(random), `${unique}a`)
          await addToken(tx, noteId(random), `${unique}b`)
        },
      },
      remove: {
        weight: 3,
        async run(tx, { random }) {
          const notes = await tx.collection('notes').find({})
          if (notes.length > 0) await tx.collection('notes').delete(pick(random, notes).id)
        },
      },
      transfer: {
        weight: 4,
        run: (tx, { random, unique }) =>
          transfer(tx, [accountId(random), accountId(random)], between(random, 1, 20), unique),
      },
      twin: {
        weight: 2,
        async run(tx, { random }) {
          const id = `t${random.below(twins)}`
          if (random.chance(0.4)) await tx.collection('twins').delete(id)
          else await tx.collection('twins').put({ id, value: random.below(3) })
        },
      },
      // More often than they are saved: some stay open for long.
      openForm: {
        weight: 4,
        async run(tx, { random, forms }) {
          const note = await tx.collection('notes').get(noteId(random))
          if (note !== undefined) forms.set(note.id, note)
        },
      },
      saveForm: { weight: 2, run: saveForm },
      // Put together anew, without the fields that this version does not know.
      rewrite: {
        weight: 2,
        async run(tx, { random, unique }) {
          await tx.collection('notes').put({ id: noteId(random), tokens: [unique] })
        },
      },
      poison: { weight: 1, run: (tx, { random }) => poison(tx, noteId(random)) },
    },
    resolvers: {
      union: unionResolver,
      keepLocal: forNotes({ type: 'keepLocal' }),
      takeRemote: forNotes({ type: 'takeRemote' }),
      defer: forNotes({ type: 'defer' }),
      none: undefined,
    },
    decide: unionResolver,
    later: [
      defineVersion({
        collections: renewedCollections,
        actions: {
          edit: {
            weight: 8,
            async run(tx, { random, unique }) {
              const notes = tx.collection('notes')
              const id = noteId(random)
              const { tokens = [], topics = [], ...rest } = (await notes.get(id)) ?? {}
              const isTopic = random.chance(0.5)
              await notes.put({
                ...rest,
                id,
                tokens: withToken(tokens, isTopic ? `${TOPIC}${unique}` : unique),
                topics: isTopic ? [...topics, unique].sort() : topics,
              })
            },
          },
          rewrite: {
            weight: 2,
            async run(tx, { random, unique }) {
              const note = { id: noteId(random), tokens: [unique], topics: [] }
              await tx.collection('notes').put(note)
            },
          },
        },
      }),
    ],
    policy: {
      validate(proposed) {
        const { tokens } = (proposed.entity() ?? {}) as Partial<Note> // decoded, of any collection
        if (tokens?.includes(POISON) !== true) return undefined
        return { code: 'poison', message: 'The server does not take this' }
      },
    },
    invariant(entities) {
      const notes = (entities.get('notes') ?? []) as readonly Partial<NoteWithTopics>[]
      const broken = notes.find((note) => topicsMissingIn(note).length > 0)
      if (broken !== undefined) return `${broken.id} lost the topics ${topicsMissingIn(broken)}`
      const list = (entities.get('accounts') ?? []) as readonly Account[]
      if (list.length === 0) return undefined
      const sum = list.reduce((total, account) => total + account.balance, 0)
      return sum === accounts * BALANCE ? undefined : `the accounts hold ${sum} together`
    },
  })
}

async function addToken(tx: Tx, id: string, token: string): Promise<void> {
  const notes = tx.collection('notes')
  const { tokens = [], ...rest } = (await notes.get(id)) ?? {}
  await notes.put({ ...rest, id, tokens: withToken(tokens, token) })
}

function withToken(tokens: readonly string[], token: string): readonly string[] {
  return [...tokens.filter((each) => each !== POISON), token].sort()
}

function topicsMissingIn({ tokens = [], topics = [] }: Partial<NoteWithTopics>): readonly string[] {
  const named = tokens.filter((each) => each.startsWith(TOPIC))
  return named.map((each) => each.slice(TOPIC.length)).filter((each) => !topics.includes(each))
}

async function poison(tx: Tx, id: string): Promise<void> {
  const notes = tx.collection('notes')
  const { tokens = [], ...rest } = (await notes.get(id)) ?? {}
  if (!tokens.includes(POISON)) await notes.put({ ...rest, id, tokens: [...tokens, POISON].sort() })
}

/** Nothing, where one of them is missing or both are the same. */
export async function transfer(
  tx: Tx,
  [from, to]: readonly [string, string],
  amount: number,
  last: string,
): Promise<void> {
  if (from === to) return
  const accounts = tx.collection('accounts')
  const [a, b] = [await accounts.get(from), await accounts.get(to)]
  if (a === undefined || b === undefined) return
  await accounts.put({ ...a, balance: a.balance - amount, last })
  await accounts.put({ ...b, balance: b.balance + amount, last })
}

/** What was typed into a form that was opened some time ago. */
async function saveForm(tx: Tx, { random, unique, forms }: ActionContext): Promise<void> {
  if (forms.size === 0) return
  const id = pick(random, [...forms.keys()])
  const seen = forms.get(id) as Note | undefined // put there by `openForm`
  forms.delete(id)
  if (seen === undefined) return
  const { pending } = await tx.replica.state('notes', id)
  // An edit that this device made meanwhile is the application's own to overwrite: it is kept.
  if (pending) await addToken(tx, id, unique)
  else {
    const tokens = [...seen.tokens, unique].sort()
    await tx.collection('notes').put({ ...seen, tokens }, { basedOn: seen })
  }
}

/** Nothing that either side added to any list gets lost; an edit wins over a delete. */
const unionResolver: ConflictResolver = {
  resolve(local, remote): Resolution {
    if (local.collection !== 'notes' || local.entity === null) return { type: 'takeRemote' }
    if (remote.entity === null) return { type: 'keepLocal' }
    const [mine, theirs] = [new Map(Object.entries(local.entity)), Object.entries(remote.entity)]
    for (const [name, value] of theirs) mine.set(name, unionOf(mine.get(name), value))
    return { type: 'merge', entity: { ...local.entity, ...Object.fromEntries(mine) } }
  },
}

/** Accounts go by the server: only so a transfer is whole. */
function forNotes(resolution: Resolution): ConflictResolver {
  return {
    resolve: (local, _, { group }) =>
      [local, ...group].some(({ collection }) => collection === 'accounts')
        ? { type: 'takeRemote' }
        : resolution,
  }
}

/** Of lists; anything else is the first, if there is one. */
function unionOf(mine: unknown, theirs: unknown): unknown {
  if (!Array.isArray(mine) || !Array.isArray(theirs)) return mine ?? theirs
  return [...new Set([...mine, ...theirs])].filter((each) => each !== POISON).sort()
}
