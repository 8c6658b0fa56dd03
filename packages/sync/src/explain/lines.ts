/** An explanation in words. */
import type { LedgerEntry } from '../ledger/ledger-types.ts'
import type { SyncExplanation } from './explanation.ts'

const WHY_UNKNOWN: ReadonlyMap<string, string> = new Map([
  ['cursor_expired', 'not known any more, for it is older than what the server can be asked about'],
  ['not_found', 'not known any more, for the server has a newer one'],
])

export function linesOf(explanation: Omit<SyncExplanation, 'lines'>): readonly string[] {
  const { conflict, rejection, transactions } = explanation
  return [
    showsLine(explanation),
    ...authorLine(explanation),
    ...(conflict === null
      ? []
      : [`In conflict with revision ${conflict.remote.entityVersion} of the server; not settled.`]),
    ...(rejection === null ? [] : [`The server refused it: ${rejection.code}. It is held.`]),
    ...transactions.map(transactionLine),
  ]
}

function showsLine({ shows, revision, state }: Omit<SyncExplanation, 'lines'>): string {
  const on = revision === 0 ? 'nothing the server had' : `revision ${revision}`
  if (shows === 'local') return `Shows this device's edit, made on ${on}: ${state}.`
  if (shows === 'remote') return `Shows revision ${revision} of the server, as it was received.`
  if (shows === 'evicted')
    return `Evicted from this device at revision ${revision}; the server has it.`
  if (state !== 'synced') return `Deleted on this device, on ${on}: ${state}.`
  return revision === 0 ? 'Not known here.' : `Deleted as of revision ${revision}.`
}

function authorLine({
  author,
  authorUnknown,
  revision,
}: Omit<SyncExplanation, 'lines'>): readonly string[] {
  if (author === null) {
    if (authorUnknown === null) return []
    const why = WHY_UNKNOWN.get(authorUnknown)
    const answer = why === undefined ? authorUnknown : `${why} (${authorUnknown})`
    return [`Who made revision ${revision}: ${answer}.`]
  }
  const who = author.isThisDevice ? 'this device' : `device ${author.deviceId}`
  const operation = author.opId === null ? '' : `, operation ${author.opId}`
  return [`Revision ${revision} was made by ${who}${operation} (from the ${author.source}).`]
}

function transactionLine(entry: LedgerEntry): string {
  const { id, fate, how, decidedBy, successor, hasKept } = entry
  const by = decidedBy === null ? '' : ` by the ${decidedBy}`
  const decided = fate === 'rejected' && by !== '' ? `, discarded${by}` : by
  const outcome = how === null ? '' : `: ${how}${decided}`
  const on = successor === null ? '' : `, carried on by ${successor}`
  return `Transaction ${id} ${fate}${outcome}${on}${hasKept ? '; what lost is kept' : ''}.`
}
