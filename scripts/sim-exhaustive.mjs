// `npm run sim -- --exhaustive`: every interleaving of small scopes, one after the other, each by several threads. A run
// that fails prints the command that repeats it, and its event log.
import { estimateRuns, smallNotes, tryChoices } from '@entidb/testing'
import { endProgress, showProgress } from './sim-progress.mjs'
import { forEachThread } from './sim-threads.mjs'

/** What the two devices do, besides syncing once. */
const PAIRS = [
  'edit,edit',
  'create,create',
  'edit,remove',
  'transfer,transfer',
  'editAndTransfer,edit',
  'edit,poison',
  'edit,look',
]
const CRASHES = ['lost', 'device', 'server']
const LOSSES = ['serverRestore', 'deviceRestore', 'purge']
const FAULTS = [...CRASHES, ...LOSSES]
/** For the guess how many runs there are: some seconds. */
const WALKS = 300

/** `settings`: the options of the command line. True: nothing failed. */
export async function runExhaustively(settings) {
  const pairs = settings.scope === undefined ? PAIRS : [settings.scope]
  let isWell = true
  for (const pair of pairs) {
    const scope = scopeOf(pair, settings)
    const isFine =
      settings.choices === undefined
        ? await exploreScope(scope, settings)
        : await repeat(scope, settings.choices)
    isWell &&= isFine
  }
  return isWell
}

function scopeOf(pair, { faults, resolver, 'at-most': most }) {
  const kinds = { all: CRASHES, losses: LOSSES, none: [] }[faults] ?? faults.split(',')
  const actions = pair.split(',')
  assertKnown('fault', kinds, FAULTS)
  assertKnown('action', actions, Object.keys(smallNotes.actions))
  assertKnown('resolver', [resolver], Object.keys(smallNotes.resolvers))
  return { actions, resolver, faultsMax: kinds.length === 0 ? 0 : Number(most), faults: kinds }
}

function assertKnown(what, names, known) {
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new RangeError(`there is no ${what} ${unknown}, only ${known.join(', ')}`)
}

async function exploreScope(scope, { jobs }) {
  console.log(titleOf(scope))
  const guess = await estimateRuns(scope, smallNotes, WALKS)
  console.log(`  about ${round(guess.runs)} runs, give or take ${round(2 * guess.standardError)}`)
  const startedMs = performance.now()
  const found = { runs: 0, redundant: 0, share: 0, failing: undefined }
  const frontier = new Frontier()
  await forEachThread('sim-exhaustive-worker.mjs', Number(jobs), async (run) => {
    for (;;) {
      const choices = await frontier.take()
      if (choices === undefined) return
      const { branches, share, isRedundant, hasFailed, ...trial } = await run({ scope, choices })
      found.runs++
      found.redundant += isRedundant ? 1 : 0
      found.share += share
      if (hasFailed) found.failing ??= trial.choices
      frontier.done(found.failing === undefined ? branches : undefined)
      const text = `${found.runs} runs of about ${round(guess.runs)}, ${minutesSince(startedMs)} minutes`
      showProgress(found.share, text)
    }
  })
  endProgress()
  if (found.failing !== undefined) return repeat(scope, found.failing)
  console.log(
    `  all ${found.runs} runs in ${minutesSince(startedMs)} minutes, ${found.redundant} of them left early: nothing is wrong`,
  )
  return true
}

/** First choices that are to be tried, the deepest first: few are waiting at any time. */
class Frontier {
  #waiting = [[]]
  #running = 0
  #wake = () => {}
  #change = this.#nextChange()

  /** Undefined: there are none left. */
  async take() {
    while (this.#waiting.length === 0 && this.#running > 0) await this.#change
    const choices = this.#waiting.pop()
    if (choices !== undefined) this.#running++
    return choices
  }

  /** One that was taken was tried: these turn off it. Undefined: nothing else is to be tried. */
  done(branches) {
    this.#running--
    if (branches === undefined) this.#waiting = []
    else this.#waiting.push(...branches)
    this.#wake()
    this.#change = this.#nextChange()
  }

  #nextChange() {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}

/** One run, with its event log. */
async function repeat(scope, choices) {
  const list = typeof choices === 'string' ? choices.split(',').map(Number) : choices
  const { log, failure, outcome } = await tryChoices(scope, smallNotes, list)
  console.log(log.join('\n'))
  if (failure === undefined) {
    console.log(outcome === undefined ? 'another run is the same but for the order' : 'ok')
    return true
  }
  console.log(`fails: ${failure.stack}`)
  console.log(`  npm run sim -- --exhaustive ${optionsOf(scope)} --choices ${list.join()}`)
  return false
}

function optionsOf({ actions, faults, faultsMax, resolver }) {
  const kinds = faults.length === 0 ? 'none' : faults.join()
  const most = faultsMax > 1 ? ` --at-most ${faultsMax}` : ''
  return `--scope ${actions.join()} --faults ${kinds}${most} --resolver ${resolver}`
}

function titleOf({ actions, faults, faultsMax, resolver }) {
  const [first, second] = actions
  const many = faultsMax > 1 ? `up to ${faultsMax} faults` : 'one fault'
  const what = faults.length === 0 ? 'no fault' : `${many} (${faults.join(', ')})`
  return `${first} and ${second}, ${what}, resolver ${resolver}`
}

function minutesSince(startedMs) {
  return ((performance.now() - startedMs) / 60_000).toFixed(1)
}

function round(runs) {
  return Number(runs.toPrecision(2)).toLocaleString('en')
}
