// Known sync bugs, one edit of a source each (or two that belong together): the simulator has to notice every one within
// so many seeds. `hazard` tells them apart, or names a section of docs/protocol.md.

/** Folders of sources that get bugs, by the name of their package. */
export const packages = ['core', 'protocol', 'sync', 'server', 'testing']

export const mutants = [
  {
    name: 'the server accepts an edit of an older state',
    hazard: 'C1, section 3',
    seedsMax: 50,
    edits: [
      {
        file: 'server/src/database/push-decision.ts',
        find: 'operation.entityVersion === revisionOf(candidate)',
        replace: 'operation.entityVersion <= revisionOf(candidate)',
      },
    ],
  },
  {
    name: 'a pull moves the base of a pending edit',
    hazard: 'C3',
    seedsMax: 50,
    edits: [
      {
        file: 'sync/src/conflicts/meeting.ts',
        find: "if (base !== undefined && sameState(base, remote)) return 'unmoved'",
        replace: "if (base !== undefined) return 'unmoved'",
      },
    ],
  },
  {
    name: 'a pull overwrites a visible local edit',
    hazard: 'C4',
    seedsMax: 50,
    edits: [
      {
        file: 'sync/src/conflicts/learn-remote.ts',
        find: 'return state.pending\n    ?',
        replace: 'return state.opId < 0\n    ?',
      },
    ],
  },
  {
    name: 'an answer settles edits made after the request was frozen',
    hazard: 'C5',
    seedsMax: 300,
    edits: [
      {
        file: 'sync/src/push/apply-response.ts',
        find: 'throughOpId: op.localOpId,',
        replace: 'throughOpId: Number.MAX_SAFE_INTEGER,',
      },
    ],
  },
  {
    name: 'an operation in conflict counts as accepted',
    hazard: 'C6',
    seedsMax: 50,
    edits: [
      {
        file: 'sync/src/push/apply-response.ts',
        find: 'return isAccepted(answer) ? [{ op, revision: answer.revision }] : []',
        replace:
          "if (answer !== undefined && 'conflict' in answer) return [{ op, revision: answer.conflict.serverState.entityVersion }]\n    return isAccepted(answer) ? [{ op, revision: answer.revision }] : []",
      },
    ],
  },
  {
    name: 'the server forgets what it accepted: a repeated operation is decided anew',
    hazard: 'C9',
    seedsMax: 300,
    edits: [
      {
        file: 'server/src/database/push.ts',
        find: 'const accepted = await readAccepted(tx, deviceId, ops)',
        replace:
          'void readAccepted\n  const accepted: readonly (AcceptedOpRow | undefined)[] = ops.map(() => undefined)',
      },
    ],
  },
  {
    name: 'an opId used again with other content counts as a repetition',
    hazard: 'C13',
    seedsMax: 300,
    edits: [
      {
        file: 'server/src/database/push.ts',
        find: 'if (row !== undefined && hash !== undefined && !isSameBytes(row.contentHash, hash)) {',
        replace:
          'if (row === undefined && hash === undefined && !isSameBytes(device.lastSeenEpoch, device.lastSeenEpoch)) {',
      },
      {
        file: 'sync/src/handshake/apply-handshake.ts',
        find: 'if (serverOpIdMax <= state.frozenOpIdMax) return false',
        replace: 'if (serverOpIdMax <= state.frozenOpIdMax || serverOpIdMax > 0) return false',
      },
    ],
  },
  {
    name: 'the cursor is stored before the page is applied',
    hazard: 'C15',
    seedsMax: 300,
    edits: [
      {
        file: 'sync/src/pull/puller.ts',
        find: 'const outcome = await store\n      .applying(',
        replace:
          'for (let i = 0; i < 10; i++) await store.transaction(async (tx) => tx.setState({ cursor: page.nextCursor }))\n    const outcome = await store\n      .applying(',
      },
      {
        file: 'sync/src/pull/apply-page.ts',
        find: 'state.cursor === origin.cursor &&',
        replace: '',
      },
    ],
  },
  {
    name: 'a newcomer begins at the head that the handshake names',
    hazard: 'C17',
    seedsMax: 50,
    edits: [
      {
        file: 'sync/src/handshake/apply-handshake.ts',
        find: '{ epoch, history, purgedThrough = 0 }: HandshakeResponse,',
        replace: '{ epoch, history, serverCursor, purgedThrough = 0 }: HandshakeResponse,',
      },
      {
        file: 'sync/src/handshake/apply-handshake.ts',
        find: 'if (state.epoch === null) tx.setState({ epoch, history })',
        replace: 'if (state.epoch === null) tx.setState({ epoch, history, cursor: serverCursor })',
      },
    ],
  },
  {
    name: 'a device does not look whether the server was restored',
    hazard: 'C20',
    seedsMax: 300,
    edits: [
      {
        file: 'sync/src/handshake/apply-handshake.ts',
        find: 'const point = knowsNothing ? undefined : partingPoint(state.history, history)',
        replace:
          'const point = knowsNothing ? undefined : partingPoint(history, history)\n  if (state.epoch !== null) tx.setState({ epoch, history })',
      },
    ],
  },
  {
    name: 'after a restore a device offers only its pending edits again',
    hazard: 'C21, C23',
    seedsMax: 300,
    edits: [
      {
        file: 'sync/src/handshake/epoch-change.ts',
        find: 'if (version > point) beyond.push',
        replace: 'if (pending && version > point) beyond.push',
      },
    ],
  },
  {
    name: 'files put back from a backup pass for the originals: no new epoch',
    hazard: 'C20, section 9',
    seedsMax: 300,
    edits: [
      {
        file: 'server/src/database/sync-database.ts',
        find: 'if (isKnown) this.#epochBegun = Promise.resolve()',
        replace: 'if (isKnown || !isKnown) this.#epochBegun = Promise.resolve()',
      },
    ],
  },
  {
    name: 'a delete wins over an edit it has not seen',
    hazard: 'C28',
    seedsMax: 300,
    edits: [
      {
        file: 'server/src/database/push-decision.ts',
        find: '!candidate.changesNothing && !isAcceptable(candidate, floor)',
        replace:
          '!candidate.changesNothing && candidate.operation.entityCbor !== null && !isAcceptable(candidate, floor)',
      },
    ],
  },
  {
    name: 'a page ends inside of a group',
    hazard: 'C29',
    seedsMax: 50,
    edits: [
      {
        file: 'server/src/database/pull-page.ts',
        find: 'if (!isSameGroup(this.#previous, row)) {',
        replace: 'if (!isSameGroup(this.#previous, row) || this.#rows > 0) {',
      },
    ],
  },
  {
    name: 'the server decides the operations of a group one by one',
    hazard: 'C30',
    seedsMax: 50,
    edits: [
      {
        file: 'server/src/database/push-decision.ts',
        find: 'const members = tx === undefined ? undefined : membersByTx.get(tx)',
        replace: 'const members = tx === undefined || tx >= 0 ? undefined : membersByTx.get(tx)',
      },
    ],
  },
  {
    name: 'transactions that share an entity do not become one group',
    hazard: 'C31',
    seedsMax: 50,
    edits: [
      {
        file: 'sync/src/push/batch-draft.ts',
        find: 'this.#parents[this.#rootOf(member)] = this.#rootOf(known.member)',
        replace: 'void this.#rootOf(known.member)',
      },
    ],
  },
  {
    name: 'a queue that failed once waits for the next edit',
    hazard: 'liveness',
    seedsMax: 50,
    edits: [
      {
        file: 'sync/src/cycle/cycle-driver.ts',
        find: "this.#runAfter(this.#backoff.next(typeof retryAfterMs === 'number' ? retryAfterMs : 0))",
        replace: "this.#backoff.next(typeof retryAfterMs === 'number' ? retryAfterMs : 0)",
      },
    ],
  },
  {
    name: 'a form saved late overwrites what it has not seen',
    hazard: 'section 3, basedOn',
    seedsMax: 300,
    edits: [
      {
        file: 'sync/src/push/hold-taken.ts',
        find: 'if (row.staleBase && (await',
        replace: 'if (row.staleBase && row.opId < 0 && (await',
      },
    ],
  },
  {
    name: 'an own push moves the cursor over the edits of others',
    hazard: 'C15, section 8',
    seedsMax: 50,
    edits: [
      {
        file: 'sync/src/push/apply-response.ts',
        find: 'response.headBefore === state.cursor &&',
        replace: '',
      },
    ],
  },
  {
    name: 'the ledger does not note what is held',
    hazard: 'ledger',
    seedsMax: 50,
    edits: [
      {
        file: 'sync/src/push/apply-response.ts',
        find: 'await holdTransactions(tx, frozen, heldByWireGroup, rejectedByWireGroup)\n  for',
        replace: 'void holdTransactions\n  for',
      },
    ],
  },
  {
    name: 'the digest of the server keeps what was deleted',
    hazard: 'section 14',
    seedsMax: 50,
    edits: [
      {
        file: 'server/src/database/collection-totals.ts',
        find: 'if (before !== undefined) {',
        replace: 'if (before !== undefined && after.entityCbor !== null) {',
      },
    ],
  },
  {
    name: 'the server acknowledges before its disk has it',
    hazard: 'C48',
    seedsMax: 300,
    edits: [
      {
        file: 'testing/src/world/simulated-storage.ts',
        find: 'const storage = treeStorage(mount, {',
        replace: "const storage = treeStorage(process.name === 'server' ? lying(mount) : mount, {",
      },
      {
        file: 'testing/src/world/simulated-storage.ts',
        find: 'export function storageOf(',
        replace: `function lying(mount) {
  const open = async (name, options) => {
    const file = await mount.open(name, options)
    if (file === undefined) return undefined
    return new Proxy(file, {
      get: (_, name) => (name === 'flush' ? async () => {} : bound(file, name)),
    })
  }
  return new Proxy(mount, { get: (_, name) => (name === 'open' ? open : bound(mount, name)) })
}

function bound(target, name) {
  const value = Reflect.get(target, name, target)
  return typeof value === 'function' ? value.bind(target) : value
}

export function storageOf(`,
      },
    ],
  },
  {
    name: 'compaction waits for no device',
    hazard: 'compaction',
    seedsMax: 300,
    edits: [
      {
        file: 'server/src/database/housekeeping.ts',
        find: 'return isTooMuch ? head',
        replace: 'return isTooMuch || head > 0 ? head',
      },
    ],
  },
  {
    name: 'compaction removes the newer of two operations',
    hazard: 'compaction',
    seedsMax: 50,
    edits: [
      {
        file: 'server/src/database/compaction.ts',
        find: 'superseded.push(row.replaces)',
        replace: 'superseded.push(row.serverCursor)',
      },
    ],
  },
  {
    name: 'a delete is forgotten while the log still has what it deleted',
    hazard: 'purge',
    seedsMax: 300,
    edits: [
      {
        file: 'server/src/database/purge.ts',
        find: 'cursor > compactedThrough ?',
        replace: 'cursor < 0 ?',
      },
    ],
  },
  {
    name: 'the server does not say that it forgot deletes',
    hazard: 'purge',
    seedsMax: 300,
    edits: [
      {
        file: 'server/src/database/purge.ts',
        find: 'purgedThrough = Math.max(purgedThrough, cursor)',
        replace: 'purgedThrough = Math.max(purgedThrough, 0)',
      },
    ],
  },
  {
    name: 'a device that missed forgotten deletes is served as if nothing was missing',
    hazard: 'purge, cursor_expired',
    seedsMax: 300,
    edits: [
      {
        file: 'server/src/database/pull.ts',
        find: 'if (isBehind && ',
        replace: 'if (isBehind && sinceCursor < 0 && ',
      },
    ],
  },
  {
    name: 'a re-sync keeps what the server did not name',
    hazard: 'section 12',
    seedsMax: 300,
    edits: [
      {
        file: 'sync/src/pull/resync.ts',
        find: '    } else if (version > 0) {\n',
        replace: '    } else if (version < 0) {\n',
      },
    ],
  },
  {
    name: 'a snapshot leads to the head of its last page, not of its first',
    hazard: 'C2, section 7',
    seedsMax: 50,
    edits: [
      {
        file: 'server/src/database/pull-snapshot.ts',
        find: 'const { through = head, after } = request.snapshot ?? {}',
        replace: 'const { after } = request.snapshot ?? {}\n  const through = head',
      },
      {
        file: 'sync/src/pull/snapshot-place.ts',
        find: 'if (through !== (asked.snapshot.through ?? through) || through > (head ?? through)) return false',
        replace: 'if (through > (head ?? through)) return false',
      },
    ],
  },
  {
    name: 'a page of a snapshot begins one entity too late',
    hazard: 'C2',
    seedsMax: 50,
    edits: [
      {
        file: 'server/src/database/snapshot-page.ts',
        find: 'after: keyOfState(last)',
        replace: 'after: keyOfState(state)',
      },
    ],
  },
  {
    name: 'an edit of what was deleted and forgotten is pushed as if it were new',
    hazard: 'purge, section 11',
    seedsMax: 300,
    edits: [
      {
        file: 'sync/src/conflicts/meeting.ts',
        find: 'return ancestorThrough !== 0 && purgedThrough',
        replace: 'return ancestorThrough === 0 || purgedThrough',
      },
    ],
  },
  {
    name: 'an edit is sent without the version that wrote it',
    hazard: 'versions',
    seedsMax: 50,
    edits: [
      {
        file: 'sync/src/push/frozen-request.ts',
        find: 'row.schemaVersion === 1 ?',
        replace: 'row.schemaVersion >= 1 ?',
      },
    ],
  },
  {
    name: 'what is pulled counts as written by the first version',
    hazard: 'versions',
    seedsMax: 300,
    edits: [
      {
        file: 'sync/src/pull/apply-page.ts',
        find: '...remoteStateOf(op) }',
        replace: '...remoteStateOf(op), schemaVersion: 1 }',
      },
    ],
  },
  {
    name: 'an edit of what a newer version wrote counts as written by the older',
    hazard: 'versions',
    seedsMax: 300,
    edits: [
      {
        file: 'core/src/entities/version-of-write.ts',
        find: 'return isEdit ? from.schemaVersion : state.schemaVersion',
        replace: 'return isEdit ? state.schemaVersion : state.schemaVersion',
      },
    ],
  },
  {
    name: 'what an older version merges counts as written by it',
    hazard: 'versions, section 11',
    seedsMax: 300,
    edits: [
      {
        file: 'sync/src/conflicts/put-merged.ts',
        find: 'if (conflict === null || conflict.remote.bytes === null) return false',
        replace: 'if (conflict === null || conflict.remote.version >= 0) return false',
      },
    ],
  },
  {
    name: 'an upgrade stores edits that are not sent yet in the new version',
    hazard: 'versions',
    seedsMax: 300,
    edits: [
      {
        file: 'core/src/entities/catalog.ts',
        find: 'if (setting.rewrites && (yield*',
        replace: 'if ((setting.rewrites || setting.meta !== undefined) && (yield*',
      },
    ],
  },
  {
    name: 'the older application drops fields that it does not know',
    hazard: 'versions, invariant',
    seedsMax: 300,
    edits: [
      {
        file: 'testing/src/application/token-notes.ts',
        find: 'await notes.put({ ...rest, id, tokens: withToken(tokens, token) })',
        replace: 'await notes.put({ id, tokens: withToken(tokens, token) })',
      },
    ],
  },
]
