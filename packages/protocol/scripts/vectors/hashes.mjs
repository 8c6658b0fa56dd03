// What the content hash and the digest are computed over, as operations in JSON with bytes as hex.

const entityCbor = 'a2626964626e316474657874646d696c6b'

export const contents = [
  ['put', { collection: 'notes', entityId: 'n1', opType: 'PUT', entityVersion: 0, entityCbor }],
  ['put on a base', { collection: 'notes', entityId: 'n1', opType: 'PUT', entityVersion: 268435457, entityCbor }],
  ['delete', { collection: 'notes', entityId: 'n1', opType: 'DELETE', entityVersion: 268435457, entityCbor: null }],
  ['entityId outside ASCII', { collection: 'notes', entityId: 'é/😀', opType: 'PUT', entityVersion: 9007199254740991, entityCbor: 'a0' }],
]

export const liveEntities = [
  { collection: 'notes', entityId: 'n1', entityVersion: 268435457, entityCbor },
  { collection: 'notes', entityId: 'n2', entityVersion: 268435460, entityCbor: 'a1626964626e32' },
  { collection: 'tags', entityId: 'red', entityVersion: 268435459, entityCbor: 'a162696463726564' },
]

export const sums = [
  ['nothing and nothing', '00'.repeat(32), '00'.repeat(32)],
  ['one and one', `${'00'.repeat(31)}01`, `${'00'.repeat(31)}01`],
  ['a carry through every byte', 'ff'.repeat(32), `${'00'.repeat(31)}01`],
  ['a borrow through every byte', '00'.repeat(32), `${'00'.repeat(31)}01`],
  ['two halves of the range', `80${'00'.repeat(31)}`, `80${'00'.repeat(31)}`],
  ['no pattern', '0123456789abcdef'.repeat(4), 'fedcba9876543211'.repeat(4)],
]
