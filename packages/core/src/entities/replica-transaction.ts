/** `tx.replica`: the replication side of a transaction, one step after the other like everything in it. */
import type { Catalog } from './catalog.ts'
import { notePartingAt } from './parting.ts'
import { ReplicaPage } from './replica-page.ts'
import { scanReplicas } from './replica-scan.ts'
import { ReplicaWriter } from './replica-writer.ts'
import type { ReplicaState, ReplicaTransaction } from './replication.ts'
import type { Steps } from './steps.ts'
import { Turns } from './turns.ts'
import type { WriteSession } from './write-session.ts'

export function createReplicaTransaction(
  session: WriteSession,
  catalog: Catalog,
): ReplicaTransaction {
  const replica = new ReplicaWriter(session.writer)
  const run = <T>(steps: () => Steps<T>): Promise<T> => session.run(steps)
  const of = (collection: string) => catalog.findReplicated(collection)
  return {
    state: (collection, id) => run(() => replica.state(of(collection), id)),
    states: (refs) =>
      run(function* () {
        const states: ReplicaState[] = []
        for (const { collection, entityId } of refs) {
          states.push(yield* replica.state(of(collection), entityId))
        }
        return states
      }),
    applyRaw: (operation) => run(() => replica.applyRaw(of(operation.collection), operation)),
    applyNewer: (operations, { turn } = {}) =>
      run(() =>
        new ReplicaPage(session.writer, replica, catalog, new Turns(turn)).apply(operations),
      ),
    rebase: (collection, id, base) => run(() => replica.rebase(of(collection), id, base)),
    settle: (collection, id, committed, throughOpId) =>
      run(() => replica.settle(of(collection), id, committed, throughOpId)),
    settleAll: (edits) =>
      run(function* () {
        const dropped: number[] = []
        for (const [index, edit] of edits.entries()) {
          if (!(yield* replica.settleEdit(of(edit.collection), edit))) dropped.push(index)
        }
        return dropped
      }),
    touch: (collection, id) => run(() => replica.touch(of(collection), id)),
    partAt: (point) =>
      run(() => {
        const { tx, lastKnownOpId } = session.writer
        return notePartingAt(tx, { stamp: lastKnownOpId, point })
      }),
    beginTransaction: () =>
      // biome-ignore lint/correctness/useYield: has nothing to wait for
      run(function* () {
        session.writer.beginTransaction()
      }),
    forget: (collection, id) => run(() => replica.forget(of(collection), id)),
    evict: (collection, id) => run(() => replica.evict(of(collection), id)),
    scan: (options) => run(() => scanReplicas(session.writer.tx, options)),
  }
}
