/** Arbitrary valid messages, for fast-check. */
import fc from 'fast-check'
import type { Messages } from './message-codecs.test-kit.ts'
import type { Conflict, SnapshotPlace, SnapshotRequest, SyncOperation } from './messages.ts'

const MAX = Number.MAX_SAFE_INTEGER

/** Small numbers, the edges of the heads, and anything up to `max`. */
function uint(min = 0, max = MAX): fc.Arbitrary<number> {
  const edges = [0, 1, 23, 24, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, MAX]
  return fc.oneof(
    fc.constantFrom(...edges.filter((edge) => edge >= min && edge <= max)),
    fc.integer({ min, max }),
  )
}

const timestampMs = fc.oneof(fc.constantFrom(-MAX, -1, 0, MAX), fc.integer({ min: -MAX, max: MAX }))
const text = fc.string({ unit: 'binary', maxLength: 40 })
const bytes = fc.uint8Array({ maxLength: 300 })
const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const name = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/)
const deviceId = name.filter((value) => value !== 'server')
const collection = fc.oneof(
  fc.constantFrom('constructor', 'toString', 'notes'),
  fc.stringMatching(/^[A-Za-z0-9-][A-Za-z0-9_-]{0,63}$/),
)
const entityId = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 512 })
  .filter((value) => Buffer.byteLength(value) <= 512)
const position = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 600 })
  .filter((value) => Buffer.byteLength(value) <= 1024)
const epoch = bytesOf(16)
const version = fc.tuple(uint(), uint())

/** Optional fields are there or not; they are never undefined. */
function message<T extends object>(
  required: { [K in keyof T]: fc.Arbitrary<T[K]> },
  requiredKeys: readonly (keyof T)[],
): fc.Arbitrary<T> {
  // fast-check's own type of a record with optional keys does not reduce to T.
  return fc.record(required, { requiredKeys: [...requiredKeys] }) as unknown as fc.Arbitrary<T>
}

function increasing<T>(items: readonly T[], keyOf: (item: T) => number): T[] {
  const byKey = new Map(items.map((item) => [keyOf(item), item]))
  return [...byKey.values()].sort((a, b) => keyOf(a) - keyOf(b))
}

const operationFields = {
  opId: uint(1),
  dbId: name,
  deviceId,
  collection,
  entityId,
  entityVersion: uint(),
  timestampMs,
  tx: uint(0, 2 ** 32 - 1),
  schemaVersion: uint(),
}

function operation(fields: Partial<typeof operationFields> = {}): fc.Arbitrary<SyncOperation> {
  const keys = ['opId', 'dbId', 'deviceId', 'collection', 'entityId', 'entityVersion'] as const
  const content = fc.option(bytes, { nil: null })
  return fc
    .tuple(fc.record({ ...operationFields, ...fields }, { requiredKeys: [...keys] }), content)
    .map(([rest, entityCbor]) => ({
      // The keys left out are absent, as SyncOperation wants them.
      ...(rest as Omit<SyncOperation, 'opType' | 'entityCbor'>),
      opType: entityCbor === null ? ('DELETE' as const) : ('PUT' as const),
      entityCbor,
    }))
}

const anyOperation = fc.oneof(
  operation(),
  operation({ opId: fc.constant(0), deviceId: fc.constant('server') }),
)

const history = fc
  .array(fc.record({ epoch, firstCursor: uint() }), { maxLength: 4 })
  .map((entries) => increasing(entries, (entry) => entry.firstCursor))

const page = fc
  .array(
    anyOperation.filter(({ entityVersion }) => entityVersion > 0),
    { maxLength: 5 },
  )
  .map((ops) => increasing(ops, (op) => op.entityVersion))

function pullResponseOf(
  pages: fc.Arbitrary<readonly SyncOperation[]>,
): fc.Arbitrary<Messages['PullResponse']> {
  return pages.chain((ops) =>
    message<Messages['PullResponse']>(
      {
        ops: fc.constant(ops),
        nextCursor: uint(ops.at(-1)?.entityVersion ?? 0),
        hasMore: fc.boolean(),
        head: uint(),
        purgedThrough: uint(),
        snapshot: message<SnapshotPlace>({ through: uint(), after: position }, ['through']),
      },
      ['ops', 'nextCursor', 'hasMore'],
    ),
  )
}

const pushRequest = fc.tuple(name, deviceId).chain(([dbId, device]) =>
  message<Messages['PushRequest']>(
    {
      dbId: fc.constant(dbId),
      deviceId: fc.constant(device),
      ops: fc
        .array(operation({ dbId: fc.constant(dbId), deviceId: fc.constant(device) }), {
          maxLength: 5,
        })
        .map((ops) => increasing(ops, (op) => op.opId))
        .map((ops) => ops.map((op, index) => ({ ...op, collection: `c${index}` }))),
      epoch,
      replicaId: epoch,
      sinceCursor: uint(),
    },
    ['dbId', 'deviceId', 'ops'],
  ),
)

const conflict: fc.Arbitrary<Conflict> = fc
  .tuple(
    operation(),
    fc.option(bytes, { nil: null }),
    uint(1),
    fc.record({ reason: fc.constantFrom('stale', 'group') }, { requiredKeys: [] }),
  )
  .map(([clientOp, entityCbor, entityVersion, rest]) => ({
    // As above: the reason is there or absent.
    ...(rest as Pick<Conflict, 'reason'>),
    collection: clientOp.collection,
    entityId: clientOp.entityId,
    clientOp,
    serverState: { entityVersion, entityCbor },
  }))

/** Three lists without a common opId: shares of one list. */
const outcomes = fc
  .array(fc.tuple(conflict, fc.constantFrom(0, 1, 2)), { maxLength: 6 })
  .map((all) => {
    const ordered = increasing(all, ([{ clientOp }]) => clientOp.opId)
    const share = (of: number) => ordered.flatMap(([item, list]) => (list === of ? [item] : []))
    return {
      conflicts: share(0),
      committed: share(1).map(({ clientOp: { opId, entityVersion } }) => ({ opId, entityVersion })),
      rejected: share(2).map(({ clientOp: { opId } }) => ({ opId, code: 'group', message: 'no' })),
    }
  })

const limits = fc.record({
  maxOpsPerPush: uint(1),
  maxPullOps: uint(1),
  maxBodyBytes: uint(1),
  maxEntityBytes: uint(1),
  maxDepth: uint(1),
})

const capabilities = message<Messages['HandshakeResponse']['capabilities']>(
  {
    pull: fc.boolean(),
    push: fc.boolean(),
    sse: fc.boolean(),
    groups: fc.boolean(),
    rejections: fc.boolean(),
    digest: fc.boolean(),
    collections: fc.boolean(),
    packed: fc.boolean(),
  },
  ['pull', 'push', 'sse'],
)

const clientInfo = message<NonNullable<Messages['HandshakeRequest']['clientInfo']>>(
  { platform: text, appVersion: text },
  [],
)

const details = message<NonNullable<Messages['ErrorResponse']['details']>>(
  { history, supported: fc.array(version), lastOpId: uint(), limit: uint() },
  [],
)

export const arbitraryMessages: { readonly [N in keyof Messages]: fc.Arbitrary<Messages[N]> } = {
  SyncOperation: anyOperation,
  HandshakeRequest: message<Messages['HandshakeRequest']>(
    {
      dbId: name,
      deviceId,
      clientInfo,
      protocol: version,
      replicaId: epoch,
      lastOpId: uint(),
      epoch,
    },
    ['dbId', 'deviceId'],
  ),
  HandshakeResponse: message<Messages['HandshakeResponse']>(
    {
      serverCursor: uint(),
      capabilities,
      protocol: version,
      epoch,
      history,
      lastOpId: uint(),
      limits,
      counts: fc.dictionary(collection, uint(), { noNullPrototype: true }),
      scope: text,
      purgedThrough: uint(),
    },
    ['serverCursor', 'capabilities'],
  ),
  PullRequest: message<Messages['PullRequest']>(
    {
      dbId: name,
      sinceCursor: uint(),
      limit: uint(1),
      deviceId,
      replicaId: epoch,
      epoch,
      collections: fc.array(collection, { maxLength: 3 }),
      packed: uint(1),
      snapshot: message<SnapshotRequest>({ through: uint(), after: position }, []),
    },
    ['dbId', 'sinceCursor'],
  ),
  PackedPullResponse: pullResponseOf(page.filter((ops) => ops.length > 0)),
  PullResponse: pullResponseOf(page),
  PushRequest: pushRequest,
  PushResponse: outcomes.chain(({ conflicts, committed, rejected }) =>
    message<Messages['PushResponse']>(
      {
        acknowledgedUpToOpId: uint(),
        conflicts: fc.constant(conflicts),
        committed: fc.constant(committed),
        rejected: fc.constant(rejected),
        headBefore: uint(),
        head: uint(),
        purgedThrough: uint(),
      },
      ['acknowledgedUpToOpId', 'conflicts'],
    ),
  ),
  VerifyRequest: fc.record({ dbId: name, cursor: uint(), digest: bytesOf(32) }),
  VerifyResponse: fc.oneof(
    fc.constant({ match: true }),
    fc.record({
      match: fc.constant(false),
      collections: fc.dictionary(collection, bytesOf(32), { noNullPrototype: true }),
    }),
  ),
  ErrorResponse: message<Messages['ErrorResponse']>(
    { code: text, message: text, retryAfterMs: uint(), details },
    ['code', 'message'],
  ),
}
