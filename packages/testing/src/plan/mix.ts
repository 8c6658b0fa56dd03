/** How often a run does what: drawn anew for each, so that in many of them something never happens. */
import type { Random } from '@entidb/core/conformance'

/** What a run does with things: how often, and whether at all. */
export interface Mix {
  readonly crashes: number
  readonly partitions: number
  readonly syncs: number
  readonly decisions: number
  /** Copies made of files, and files put back from one. */
  readonly backups: number
  /** Part of those that are copies made. */
  readonly copies: number
  readonly clones: number
  readonly clocks: number
  readonly upgrades: number
  readonly absences: number
  /** Part of the absences in which the server goes back to its last copy. */
  readonly restoresInAbsences: number
  readonly maintenance: number
  /** Part of the crashes, backups and clocks that are the server's. */
  readonly ofServer: number
}

export function drawTrouble(random: Random): Mix {
  const some = (rate: number): number => (random.chance(0.5) ? 0 : rate * random.next())
  return {
    crashes: some(0.25),
    partitions: some(0.2),
    syncs: random.next() * 0.2,
    decisions: random.next() * 0.15,
    backups: random.chance(0.6) ? 0 : 0.1,
    copies: 0.6,
    clones: random.chance(0.85) ? 0 : 0.05,
    clocks: some(0.06),
    upgrades: some(0.4),
    absences: some(0.04),
    restoresInAbsences: 0,
    maintenance: some(0.1),
    ofServer: 0.4,
  }
}

/** Where the server forgets soon, it takes a while without other trouble until somebody comes back too late. */
export function withTimeToForget(mix: Mix): Mix {
  const { crashes, partitions, backups, clones, syncs, decisions } = mix
  return {
    ...mix,
    crashes: crashes / 4,
    partitions: partitions / 4,
    backups: backups / 4,
    clones: clones / 4,
    syncs: syncs / 2,
    decisions: decisions / 2,
    absences: 0.06,
    maintenance: 0.15,
  }
}
