// What `npm run sim` simulates.
import { tokenNotes } from '@entidb/testing'

export const application = tokenNotes({ notes: 4, accounts: 3, twins: 2 })
