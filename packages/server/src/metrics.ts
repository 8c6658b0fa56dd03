/**
 * Counters of one server in the text format of Prometheus. Labels are fixed words: no tenant, subject or
 * entity ever shows.
 */
import type { PushResponse } from '@entidb/protocol'

export type OpFate = 'committed' | 'conflict' | 'rejected'

/** What is read when it is asked for. */
export interface Gauges {
  readonly streams: () => number
  readonly databases: () => number
}

/** Upper bounds of the duration histogram, in seconds. */
const DURATION_BOUNDS: readonly number[] = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10]

interface Durations {
  readonly counts: number[]
  sum: number
  count: number
}

export class Metrics {
  readonly #gauges: Gauges
  readonly #requests = new Map<string, number>()
  readonly #durationsByPath = new Map<string, Durations>()
  readonly #pushed: Record<OpFate, number> = { committed: 0, conflict: 0, rejected: 0 }
  #pulled = 0

  constructor(gauges: Gauges) {
    this.#gauges = gauges
  }

  /** `path`: of a known route; anything else is one word. */
  countRequest(path: string, status: number, seconds: number): void {
    const labels = `path="${path}",status="${status}"`
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1)
    const durations = this.#durationsOf(path)
    durations.sum += seconds
    durations.count++
    DURATION_BOUNDS.forEach((bound, i) => {
      if (seconds <= bound) durations.counts[i] = (durations.counts[i] ?? 0) + 1
    })
  }

  countPush(response: PushResponse): void {
    this.#pushed.committed += response.committed?.length ?? 0
    this.#pushed.conflict += response.conflicts.length
    this.#pushed.rejected += response.rejected?.length ?? 0
  }

  countPulled(operations: number): void {
    this.#pulled += operations
  }

  text(): string {
    return [
      ...family('entidb_requests_total', 'counter', [...this.#requests]),
      ...this.#durationLines(),
      ...family('entidb_pushed_operations_total', 'counter', [
        ...Object.entries(this.#pushed).map(([fate, n]): Sample => [`fate="${fate}"`, n]),
      ]),
      ...family('entidb_pulled_operations_total', 'counter', [['', this.#pulled]]),
      ...family('entidb_open_streams', 'gauge', [['', this.#gauges.streams()]]),
      ...family('entidb_open_databases', 'gauge', [['', this.#gauges.databases()]]),
      '',
    ].join('\n')
  }

  #durationsOf(path: string): Durations {
    let durations = this.#durationsByPath.get(path)
    if (durations === undefined) {
      durations = { counts: DURATION_BOUNDS.map(() => 0), sum: 0, count: 0 }
      this.#durationsByPath.set(path, durations)
    }
    return durations
  }

  #durationLines(): string[] {
    const name = 'entidb_request_duration_seconds'
    const lines = [...this.#durationsByPath].flatMap(([path, { counts, sum, count }]) => [
      ...DURATION_BOUNDS.map(
        (bound, i) => `${name}_bucket{path="${path}",le="${bound}"} ${counts[i]}`,
      ),
      `${name}_bucket{path="${path}",le="+Inf"} ${count}`,
      `${name}_sum{path="${path}"} ${sum}`,
      `${name}_count{path="${path}"} ${count}`,
    ])
    return lines.length === 0 ? [] : [`# TYPE ${name} histogram`, ...lines]
  }
}

type Sample = readonly [labels: string, value: number]

function family(name: string, type: 'counter' | 'gauge', samples: readonly Sample[]): string[] {
  if (samples.length === 0) return []
  const lines = samples.map(([labels, value]) =>
    labels === '' ? `${name} ${value}` : `${name}{${labels}} ${value}`,
  )
  return [`# TYPE ${name} ${type}`, ...lines]
}
