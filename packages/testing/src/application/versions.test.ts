import { defineCollection } from '@entidb/core'
import { describe, expect, test } from 'vitest'
import { defineApplication, defineVersion } from './application.ts'
import { versionsOf } from './versions.ts'

interface Note {
  readonly id: string
}

const collections = { notes: defineCollection<Note>({}) }
const renewed = { notes: defineCollection<Note>({ version: 2, migrations: { 2: (note) => note } }) }
const decide = { resolve: () => ({ type: 'takeRemote' }) as const }
const write = { run: async () => {} }
const other = { run: async () => {} }

describe('versions', () => {
  test('later ones: what they do not name -> is that of the version before', () => {
    const application = defineApplication({
      collections,
      actions: { write, remove: write },
      resolvers: { mine: decide },
      decide,
      later: [
        defineVersion({ collections: renewed, actions: { write: other } }),
        defineVersion({ collections: renewed, actions: { add: other } }),
      ],
    })
    expect(versionsOf(application)).toEqual([
      { collections, actions: { write, remove: write }, resolvers: { mine: decide }, decide },
      {
        collections: renewed,
        actions: { write: other, remove: write },
        resolvers: { mine: decide },
        decide,
      },
      {
        collections: renewed,
        actions: { write: other, remove: write, add: other },
        resolvers: { mine: decide },
        decide,
      },
    ])
  })

  test('a collection that another version does not have -> TypeError', () => {
    const later = [defineVersion({ collections: { ...collections, more: defineCollection({}) } })]
    const application = defineApplication({
      collections,
      actions: {},
      resolvers: {},
      decide,
      later,
    })
    expect(() => versionsOf(application)).toThrow(TypeError)
  })
})
