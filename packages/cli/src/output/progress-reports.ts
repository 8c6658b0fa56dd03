/** The two ways to show progress to people. */
import cliProgress from 'cli-progress'
import type { NumberFormat, ProgressReport } from './reporter.ts'
import { formatCount } from './units.ts'

const lineIntervalMs = 2_000

/** A bar that redraws in place and vanishes when the work ends. */
export function createBarProgress(
  title: string,
  stream: NodeJS.WriteStream,
  format: NumberFormat = formatCount,
): ProgressReport {
  const options = {
    format: `  ${title} {bar} {percentage}%  {value} of {total}  {detail}{duration_formatted}`,
    formatValue: (value: number, _: object, type: string) =>
      type === 'percentage' || type === 'duration' ? String(value) : format(value),
    stream,
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false,
  }
  const bar = new cliProgress.SingleBar(options, cliProgress.Presets.shades_classic)
  let started = false
  return {
    update: (done, total, detail) => {
      const payload = { detail: detail === undefined ? '' : `${detail}  ` }
      if (!started) bar.start(total, done, payload)
      started = true
      bar.setTotal(total)
      bar.update(done, payload)
    },
    end: () => {
      if (started) bar.stop()
    },
  }
}

/** A line every two seconds, so that logs stay short and short work says nothing. */
export function createLineProgress(
  title: string,
  line: (text: string) => void,
  now: () => number,
  format: NumberFormat = formatCount,
): ProgressReport {
  let shownAt = now()
  return {
    update: (done, total, detail) => {
      if (now() - shownAt < lineIntervalMs) return
      shownAt = now()
      const more = detail === undefined ? '' : `, ${detail}`
      line(`  ${title}: ${format(done)} of ${format(total)}${more}`)
    },
    end: () => {},
  }
}
