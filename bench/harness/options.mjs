// The options of a suite. Pure: arguments in, settings out; a mistake is an Error whose message is for the
// user.
import { parseArgs } from 'node:util'

const MIB = 1024 * 1024
const USUAL_ENTITIES = 100_000
const QUICK_ENTITIES = 10_000
const QUICK_LARGE_ENTITIES = 20_000

const OPTIONS = {
  rows: { type: 'string' },
  engines: { type: 'string' },
  rounds: { type: 'string' },
  entities: { type: 'string' },
  quick: { type: 'boolean', default: false },
  long: { type: 'boolean', default: false },
  large: { type: 'string' },
  data: { type: 'string' },
  scale: { type: 'boolean', default: false },
  profile: { type: 'boolean', default: false },
  'without-waiting': { type: 'boolean', default: false },
  'write-docs': { type: 'boolean', default: false },
}

export function usageOf({ name, rowNames, longRowNames, engines, sizes, scalePeer, page }) {
  const long = `
  --long            also the rows that take long: ${longRowNames.join(', ')}`
  return `npm run bench -- ${name} [options]
  --rows a,b        only these rows: ${rowNames.join(', ')}
  --engines a,b     only these engines: ${engines.names.join(', ')}
  --rounds n        rounds (5; with --scale 3)
  --entities n      entities (${USUAL_ENTITIES})
  --quick           10,000 entities, one round, little work: does everything run?${longRowNames.length === 0 ? '' : long}
  --large n         how many the rows of many entities have (${sizes.large})
  --data directory  keeps the loaded databases there, and uses those that it finds
  --scale           10 thousand, 100 thousand and 1 million entities instead, with one peer (${scalePeer})
  --without-waiting leaves out the time in which the main thread waited for a core: on a busy machine,
                    for rows whose work is done in it and not in the disk
  --profile         prints in which functions our engine spends the measured time
  --write-docs      puts the figures of this run into docs/${page.file}.md; with --profile, the profiles alone`
}

export function parseOptions(suite, args) {
  const { values } = parseArgs({ args, options: OPTIONS, allowPositionals: false })
  const { quick, long, scale, profile } = values
  const rows = chosenRows(suite, values.rows, long)
  const engines = chosen('engine', values.engines, suite.engines.names)
  const writesDocs = values['write-docs']
  const withoutWaiting = values['without-waiting']
  if (writesDocs && (quick || withoutWaiting)) throw new Error('--write-docs needs a full run')
  if (writesDocs && engines !== undefined && !scale && !profile)
    throw new Error('--write-docs needs all engines')
  return {
    ...{ rows, engines, quick, scale, profile, withoutWaiting, writesDocs },
    rounds: positive('rounds', values.rounds, defaultRounds(values)),
    counts: countsOf(suite, values),
    effort: effortOf(suite, values),
    cacheBytes: 64 * MIB,
    ...(values.data === undefined ? {} : { data: values.data }),
  }
}

/** By the size that a workload names. */
function countsOf({ sizes }, { quick, entities, large }) {
  const usual = positive('entities', entities, quick ? QUICK_ENTITIES : USUAL_ENTITIES)
  return {
    usual,
    small: Math.min(usual, sizes.small),
    large: positive('large', large, quick ? QUICK_LARGE_ENTITIES : sizes.large),
  }
}

function defaultRounds({ quick, profile, scale }) {
  if (quick || profile) return 1
  return scale ? 3 : 5
}

function effortOf({ efforts }, { quick, scale }) {
  if (quick) return efforts.quick
  return scale ? efforts.scale : efforts.usual
}

function chosenRows({ rowNames, longRowNames }, text, long) {
  const named = chosen('row', text, rowNames)
  return named ?? rowNames.filter((name) => long || !longRowNames.includes(name))
}

function chosen(what, text, known) {
  if (text === undefined) return undefined
  const names = text.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new Error(`no ${what} '${unknown}'; there are: ${known.join(', ')}`)
  return names
}

function positive(name, text, fallback) {
  if (text === undefined) return fallback
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} takes a number from 1`)
  return value
}
