// `npm run soak [-- --kills N] [--seeds N] [--seed S]`: the proofs of the store that take minutes. First a real
// process is killed many times; then the simulated disk crashes random workloads from new seeds, and small
// ones in more ways than `npm test` has time for. Whatever fails says how to repeat it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { killStore } from '../tests/kit/kill-store.mjs'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seeds: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const [kills, seeds, seed] = [values.kills, values.seeds, values.seed].map(Number)

/** Numbers in [0, 1), the same for the same seed. */
function randomFrom(start) {
  let state = start >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

function showProgress(counts) {
  const { killsWhileOpening, replays, commits } = counts
  const line =
    `kill ${counts.kills} of ${kills}: ${commits} commits, ` +
    `${killsWhileOpening} kills while opening, ${replays} recoveries from a log`
  if (process.stdout.isTTY) process.stdout.write(`\r${line}`)
  else if (counts.kills % 20 === 0) console.log(line)
  if (process.stdout.isTTY && counts.kills === kills) console.log()
}

async function killRealProcesses() {
  const directory = mkdtempSync(join(tmpdir(), 'entidb-soak-'))
  try {
    const counts = await killStore({
      directory,
      kills,
      random: randomFrom(seed),
      onKill: showProgress,
    })
    console.log(`ok: ${counts.kills} kills, nothing acknowledged is missing, doubled or partial`)
    rmSync(directory, { recursive: true, force: true })
  } catch (error) {
    console.error(`\nseed ${seed}: the files are left in ${directory}`)
    throw error
  }
}

function crashSimulatedDisks() {
  const numbers = Array.from({ length: seeds }, (_, index) => seed + index)
  const { status } = spawnSync(
    'npx',
    ['vitest', 'run', 'packages/core/src/store/crash.test.ts', 'packages/core/src/store/proof'],
    {
      stdio: 'inherit',
      shell: process.platform === 'win32',
      env: { ...process.env, ENTIDB_SEEDS: numbers.join(), ENTIDB_SOAK: '1' },
    },
  )
  if (status !== 0) process.exit(status ?? 1)
}

console.log(`seed ${seed}`)
await killRealProcesses()
crashSimulatedDisks()
