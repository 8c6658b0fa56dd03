// The options of `npm run bench -- store`. Pure: arguments in, settings out; a mistake is an Error whose
// message is for the user.
import { parseArgs } from 'node:util'
import { ENGINE_NAMES } from './engines.mjs'
import { LONG_ROWS, ROW_NAMES } from './workloads.mjs'

const MIB = 1024 * 1024

export const USAGE = `npm run bench -- store [options]
  --rows a,b        only these rows: ${ROW_NAMES.join(', ')}
  --engines a,b     only these engines: ${ENGINE_NAMES.join(', ')}
  --rounds n        rounds (5; with --scale 3)
  --entities n      entities (100000)
  --quick           10,000 entities, one round, little work: does everything run?
  --long            also the rows of 5 million entities: ${LONG_ROWS.join(', ')}
  --large n         how many those rows have (5000000)
  --data directory  keeps the loaded databases there, and uses those that it finds
  --scale           10 thousand, 100 thousand and 1 million entities instead, with one peer (lmdb)
  --without-waiting leaves out the time in which the main thread waited for a core: on a busy machine,
                    for rows whose work is done in it (bulk, open, get, range, scan, update)
  --profile         prints in which functions our engine spends the measured time
  --write-docs      puts the figures of this run into docs/benchmarks.md`

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

/** How much is done to measure once. */
const EFFORT = {
  gets: 500_000,
  ranges: 500,
  scanned: 500_000,
  commits: 8000,
  commitsPerCommitter: 500,
  updates: 20_000,
  bulkWarmUp: 0,
}
const QUICK_EFFORT = {
  ...EFFORT,
  gets: 5000,
  ranges: 5,
  scanned: 10_000,
  commits: 50,
  commitsPerCommitter: 3,
  updates: 2000,
}
/** Few entities are loaded before a process is warm: sizes would not compare. */
const SCALE_EFFORT = { ...EFFORT, scanned: 1_000_000, bulkWarmUp: 20_000 }

export function parseStoreOptions(args) {
  const { values } = parseArgs({ args, options: OPTIONS, allowPositionals: false })
  const { quick, long, scale, profile } = values
  const rows = chosenRows(values.rows, long)
  const engines = chosen('engine', values.engines, ENGINE_NAMES)
  const writesDocs = values['write-docs']
  const withoutWaiting = values['without-waiting']
  if (writesDocs && (quick || profile || withoutWaiting))
    throw new Error('--write-docs needs a full run')
  if (writesDocs && engines !== undefined && !scale)
    throw new Error('--write-docs needs all engines')
  return {
    ...{ rows, engines, quick, scale, profile, withoutWaiting, writesDocs },
    rounds: positive('rounds', values.rounds, defaultRounds(values)),
    count: positive('entities', values.entities, quick ? 10_000 : 100_000),
    largeCount: positive('large', values.large, quick ? 20_000 : 5_000_000),
    effort: effortOf(values),
    cacheBytes: 64 * MIB,
    ...(values.data === undefined ? {} : { data: values.data }),
  }
}

function defaultRounds({ quick, profile, scale }) {
  if (quick || profile) return 1
  return scale ? 3 : 5
}

function effortOf({ quick, scale }) {
  if (quick) return QUICK_EFFORT
  return scale ? SCALE_EFFORT : EFFORT
}

function chosenRows(text, long) {
  const named = chosen('row', text, ROW_NAMES)
  return named ?? ROW_NAMES.filter((name) => long || !LONG_ROWS.includes(name))
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
