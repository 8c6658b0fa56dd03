// Whether a row holds what has to be reached. Pure: medians in, verdicts out.
import { OURS } from './line-up.mjs'

/**
 * `medians`: engine -> median. The peers that were measured, the best of them.
 * Undefined when none was.
 */
export function bestPeerOf({ lessIsBetter = false }, medians, peers) {
  const measured = peers.filter((name) => medians.has(name))
  if (measured.length === 0) return undefined
  return measured.reduce((best, name) => {
    const isBetter = lessIsBetter
      ? medians.get(name) < medians.get(best)
      : medians.get(name) > medians.get(best)
    return isBetter ? name : best
  })
}

/** Ours over theirs; undefined when one of them was not measured. */
export function ratioOver(medians, engine, of = OURS) {
  return ratio(medians.get(of), medians.get(engine))
}

/**
 * One verdict a goal: `{ wanted, measured, holds }` as text and truth; `holds` is undefined when it was
 * not measured. `mediansOf(rowName)`: engine -> median.
 */
export function judge(row, mediansOf, peers) {
  return row.goals.map((goal) => judgeOne(row, goal, mediansOf, peers))
}

function judgeOne(row, goal, mediansOf, peers) {
  const { over, among = peers, overRow, least, most } = goal
  const { of = OURS } = row
  const medians = mediansOf(row.name)
  const bound = least === undefined ? `at most ${most}` : `at least ${least}`
  if (overRow !== undefined) {
    const growth = ratio(medians.get(of), mediansOf(overRow).get(of))
    return verdict(`${bound} x ${overRow}`, growth, goal, 'x')
  }
  if (over === undefined) return verdict(`${bound} ${row.unit}`, medians.get(of), goal, row.unit)
  const against = over === 'best peer' ? bestPeerOf(row, medians, among) : over
  const name = over === 'best peer' ? nameOfBest(against, goal.among) : over
  const measured = against === undefined ? undefined : ratioOver(medians, against, of)
  return verdict(`${bound} x ${name}`, measured, goal, 'x')
}

function nameOfBest(peer, among) {
  const best = among === undefined ? 'the best peer' : `the best of ${among.join(' and ')}`
  return peer === undefined ? best : `${best}, ${peer}`
}

function ratio(ours, theirs) {
  return ours === undefined || theirs === undefined ? undefined : ours / theirs
}

function verdict(wanted, value, { least = -Infinity, most = Infinity }, unit) {
  if (value === undefined) return { wanted, measured: 'not measured', holds: undefined }
  return { wanted, measured: `${value.toFixed(2)} ${unit}`, holds: value >= least && value <= most }
}
