/** The application of small scopes: little enough that two devices always meet, and no action does nothing. */
import { type Application, defineApplication } from './application.ts'
import { noteCollections, tokenNotes, transfer } from './token-notes.ts'

const base = tokenNotes({ notes: 1, accounts: 2, twins: 1 })

/**
 * Two accounts and the note `n0`, which is there from the beginning. `edit`, `editTwo`, `rewrite`, `remove` and `poison` change
 * it, `look` only reads it; `create` makes a second one, `transfer` changes both accounts, `editAndTransfer` all three in one
 * transaction.
 */
export const smallNotes: Application = defineApplication({
  ...base,
  collections: noteCollections,
  async setUp(tx) {
    await base.setUp?.(tx)
    await tx.collection('notes').put({ id: 'n0', tokens: ['setUp'] })
  },
  actions: {
    ...base.actions,
    look: {
      async run(tx) {
        await tx.collection('notes').get('n0')
      },
    },
    create: {
      async run(tx, { unique }) {
        await tx.collection('notes').put({ id: 'n1', tokens: [unique] })
      },
    },
    transfer: { run: (tx, { unique }) => transfer(tx, ['a0', 'a1'], 10, unique) },
    editAndTransfer: {
      async run(tx, context) {
        await base.actions.edit?.run(tx, context)
        await transfer(tx, ['a0', 'a1'], 10, context.unique)
      },
    },
  },
})
