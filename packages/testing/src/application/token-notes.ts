/**
 * The application that is simulated when none is given. Every edit of a note adds a token that no other edit adds,
 * so that an edit that was lost or overwritten is a token that is missing; accounts are made for transfers, which
 * keep the sum; `twins` have so few different contents that devices often write the same bytes.
 */
import { defineCollection, type Transaction } from '@entidb/core'
import type { Random } from '@entidb/core/conformance'
import type { ConflictResolver, Resolution, SyncedEntity } from '@entidb/sync'
import { between, pick } from '../kernel/random-streams.ts'
import { type ActionContext, type Application, defineApplication } from './application.ts'

interface Note {
  readonly id: string
  readonly tokens: readonly string[]
}

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

const collections = {
  notes: defineCollection<Note>({ indexes: { tokens: ['tokens'] } }),
  accounts: defineCollection<Account>({}),
  twins: defineCollection<Twin>({}),
}

type Tx = Transaction<typeof collections>

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

/** Notes, accounts and twins. */
export function tokenNotes({ notes, accounts, twins }: TokenNotesOptions): Application {
  const noteId = (random: Random): string => `n${random.below(notes)}`
  const accountId = (random: Random): string => `a${random.below(accounts)}`
  return defineApplication({
    collections,
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
        weight: 1,
        async run(tx, { random }) {
          await tx.collection('notes').delete(noteId(random))
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
          if (random.chance(0.3)) await tx.collection('twins').delete(id)
          else await tx.collection('twins').put({ id, value: random.below(3) })
        },
      },
      openForm: {
        weight: 2,
        async run(tx, { random, forms }) {
          const note = await tx.collection('notes').get(noteId(random))
          if (note !== undefined) forms.set(note.id, note)
        },
      },
      saveForm: { weight: 2, run: saveForm },
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
    policy: {
      validate(proposed) {
        const { tokens } = (proposed.entity() ?? {}) as Partial<Note> // decoded, of any collection
        if (tokens?.includes(POISON) !== true) return undefined
        return { code: 'poison', message: 'The server does not take this' }
      },
    },
    invariant(entities) {
      const list = (entities.get('accounts') ?? []) as readonly Account[]
      if (list.length === 0) return undefined
      const sum = list.reduce((total, account) => total + account.balance, 0)
      return sum === accounts * BALANCE ? undefined : `the accounts hold ${sum} together`
    },
  })
}

async function addToken(tx: Tx, id: string, token: string): Promise<void> {
  const notes = tx.collection('notes')
  const tokens = (await notes.get(id))?.tokens ?? []
  await notes.put({ id, tokens: [...tokens.filter((each) => each !== POISON), token].sort() })
}

async function poison(tx: Tx, id: string): Promise<void> {
  const notes = tx.collection('notes')
  const tokens = (await notes.get(id))?.tokens ?? []
  if (!tokens.includes(POISON)) await notes.put({ id, tokens: [...tokens, POISON].sort() })
}

async function transfer(
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
    await tx.collection('notes').put({ id, tokens }, { basedOn: seen })
  }
}

/** Nothing that either side added gets lost; an edit wins over a delete. */
const unionResolver: ConflictResolver = {
  resolve(local, remote): Resolution {
    if (local.collection !== 'notes' || local.entity === null) return { type: 'takeRemote' }
    if (remote.entity === null) return { type: 'keepLocal' }
    const tokens = new Set([...tokensOf(local.entity), ...tokensOf(remote.entity)])
    tokens.delete(POISON)
    return { type: 'merge', entity: { ...local.entity, tokens: [...tokens].sort() } }
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

function tokensOf(entity: SyncedEntity): readonly string[] {
  return (entity as unknown as Note).tokens // this resolver is only asked about notes
}
