// Whether a row holds what the store has to reach. Pure: medians in, verdicts out.
import { OURS, PEERS, SHARED_STRUCTURES } from './engines.mjs'

/**
 * `medians`: engine -> median. The peers that were measured, the best of them.
 * Undefined when none was.
 */
export function bestPeerOf({ lessIsBetter = false }, medians) {
  const measured = PEERS.filter((name) => medians.has(name))
  if (measured.length === 0) return undefined
  return measured.reduce((best, name) => {
    const isBetter = lessIsBetter
      ? medians.get(name) < medians.get(best)
      : medians.get(name) > medians.get(best)
    return isBetter ? name : best
  })
}

/** Ours over theirs; undefined when one of them was not measured. */
export function ratioOver(medians, engine) {
  const ours = medians.get(OURS)
  const theirs = medians.get(engine)
  return ours === undefined || theirs === undefined ? undefined : ours / theirs
}

/** Ours over LMDB with shared structures, for comparison. */
export function ratioOverSharedStructures(medians) {
  return ratioOver(medians, SHARED_STRUCTURES)
}

/**
 * One verdict a goal: `{ wanted, measured, holds }` as text and truth; `holds` is undefined when it was
 * not measured.
 */
export function judge(row, medians) {
  return row.goals.map((goal) => judgeOne(row, goal, medians))
}

function judgeOne(row, { over, least, most }, medians) {
  const bound = least === undefined ? `at most ${most}` : `at least ${least}`
  if (over === undefined) {
    const ours = medians.get(OURS)
    return verdict(`${bound} ${row.unit}`, ours, { least, most }, row.unit)
  }
  const against = over === 'best peer' ? bestPeerOf(row, medians) : over
  const name = over === 'best peer' && against !== undefined ? `the best peer, ${against}` : over
  const ratio = against === undefined ? undefined : ratioOver(medians, against)
  return verdict(`${bound} x ${name}`, ratio, { least, most }, 'x')
}

function verdict(wanted, value, { least = -Infinity, most = Infinity }, unit) {
  if (value === undefined) return { wanted, measured: 'not measured', holds: undefined }
  return { wanted, measured: `${value.toFixed(2)} ${unit}`, holds: value >= least && value <= most }
}
