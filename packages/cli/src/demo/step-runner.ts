/**
 * Runs the steps of a demo one after the other and keeps what each of them cost: time, entities, bytes on
 * the wire.
 */
import type { Traffic } from '../network/metered-fetch.ts'
import type { ProgressReport, Reporter } from '../output/reporter.ts'
import { formatDuration } from '../output/units.ts'

export interface StepFigure {
  /** For programs; stable. */
  readonly name: string
  /** For people. */
  readonly title: string
  readonly ms: number
  /** Entities that the step wrote, sent or read, where that says something. */
  readonly entities?: number
  readonly traffic: Traffic
}

/** What a step reports while it runs. */
export interface Step {
  readonly progress: (done: number, total: number) => void
  /** How many entities it moved. */
  counted(entities: number): void
  /** What it came to, in a few words; printed beside its title. */
  summary(text: string): void
}

export interface StepWorld {
  readonly reporter: Reporter
  readonly now: () => number
  readonly stop: AbortSignal
  /** All bytes on the wire so far. */
  readonly traffic: () => Traffic
}

export class StepRunner {
  readonly #world: StepWorld
  readonly #figures: StepFigure[] = []

  constructor(world: StepWorld) {
    this.#world = world
  }

  get figures(): readonly StepFigure[] {
    return this.#figures
  }

  /** Rejects with the work's error; with the reason of the stop signal when it was aborted before. */
  async run<T>(name: string, title: string, work: (step: Step) => Promise<T>): Promise<T> {
    const { reporter, now, stop, traffic } = this.#world
    stop.throwIfAborted()
    const before = traffic()
    const startedAt = now()
    const progress = reporter.progress(title)
    const record = new StepRecord(progress)
    const result = await work(record).finally(() => progress.end())
    this.#add({ name, title, ms: now() - startedAt }, record, before)
    return result
  }

  #add(
    timed: Pick<StepFigure, 'name' | 'title' | 'ms'>,
    record: StepRecord,
    before: Traffic,
  ): void {
    const after = this.#world.traffic()
    const figure: StepFigure = {
      ...timed,
      ...(record.entities === undefined ? {} : { entities: record.entities }),
      traffic: { sent: after.sent - before.sent, received: after.received - before.received },
    }
    this.#figures.push(figure)
    const { title, ms } = timed
    const text = record.text === undefined ? title : `${title}: ${record.text}`
    this.#world.reporter.note(`✓ ${text} (${formatDuration(ms)})`)
    this.#world.reporter.fact('step', { ...figure, summary: record.text })
  }
}

class StepRecord implements Step {
  readonly progress: (done: number, total: number) => void
  entities: number | undefined
  text: string | undefined

  constructor(report: ProgressReport) {
    this.progress = (done, total) => report.update(done, total)
  }

  counted(entities: number): void {
    this.entities = entities
  }

  summary(text: string): void {
    this.text = text
  }
}
