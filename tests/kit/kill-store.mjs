// Kills the process of `store-child.mjs` at random moments, and after most of them opens the store and compares
// all of it with the history: nothing acknowledged is missing, nothing is there in part or twice.

import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { fileStorage } from '@entidb/core/node'
import { applyTo } from './store-history.mjs'

const script = fileURLToPath(new URL('./store-child.mjs', import.meta.url))
/** Half of the kills hit the start of the process and the recovery, the others what comes after. */
const startMs = 160
const workMs = 350

/**
 * `random` answers numbers in [0, 1). `inspect` sees the files before they are opened, with the states that
 * they may hold: `stateAt(n)` after n commits, n not below `acknowledged`. The answer counts what happened.
 */
export async function killStore({ directory, kills, random, inspect, onKill }) {
  const history = new History()
  const counts = { kills: 0, killsWhileOpening: 0, replays: 0, commits: 0 }
  while (counts.kills < kills) {
    const { acknowledged, hasOpened } = await runAndKill(directory, random)
    history.acknowledge(acknowledged)
    counts.kills++
    if (!hasOpened) counts.killsWhileOpening++
    // Sometimes the next process is the first one that opens it.
    if (counts.kills === kills || random() < 0.7) {
      await inspect?.(directory, history)
      const { lastLsn, replayedCommits } = await verify(directory, history)
      if (replayedCommits > 0) counts.replays++
      counts.commits = lastLsn
    }
    onKill?.(counts)
  }
  return counts
}

class History {
  #acknowledged = 0
  #number = 0
  #state = new Map()

  get acknowledged() {
    return this.#acknowledged
  }

  acknowledge(number) {
    this.#acknowledged = Math.max(this.#acknowledged, number)
  }

  /** Only ever later ones: what was once found does not vanish. */
  stateAt(number) {
    assert(
      number >= this.#acknowledged,
      `${number} commits, ${this.#acknowledged} were acknowledged`,
    )
    while (this.#number < number) applyTo(this.#state, ++this.#number)
    return this.#state
  }
}

async function runAndKill(directory, random) {
  const child = spawn(process.execPath, [script, JSON.stringify({ directory })])
  const exited = new Promise((resolve) => child.once('close', (code) => resolve(code)))
  let acknowledged = 0
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const opened = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [what, number] = line.split(' ')
      if (what === 'opened') resolve(true)
      // What an opening found may have been read by someone.
      acknowledged = Math.max(acknowledged, Number(number))
    })
  })
  const hasEnded = exited.then((code) => code !== null)
  if (random() < 0.5) await pause(random() * startMs)
  else {
    await Promise.race([opened, exited])
    await pause(random() * workMs)
  }
  child.kill('SIGKILL')
  assert(!(await hasEnded), `the process ended by itself: ${errors}`)
  const hasOpened = await Promise.race([opened, Promise.resolve(false)])
  return { acknowledged, hasOpened }
}

async function verify(directory, history) {
  const store = await fileStorage(directory).open({ durability: 'strict' })
  const { lastLsn, replayedCommits } = store.recovery
  const expected = history.stateAt(lastLsn)
  history.acknowledge(lastLsn)
  const snapshot = store.snapshot()
  const tables = await snapshot.tables()
  assert.deepEqual(
    [...tables].sort(),
    [...expected.keys()].sort(),
    `tables after commit ${lastLsn}`,
  )
  for (const table of tables) await verifyTable(snapshot, table, expected.get(table), lastLsn)
  snapshot.release()
  await store.close()
  return { lastLsn, replayedCommits }
}

async function verifyTable(snapshot, table, expected, lastLsn) {
  const label = `table ${table} after commit ${lastLsn}`
  assert.equal(await snapshot.count(table), expected.size, label)
  const cursor = snapshot.scan(table, {})
  let seen = 0
  for (;;) {
    const { keys, values } = await cursor.next(100)
    if (keys.length === 0) break
    seen += keys.length
    for (const [i, key] of keys.entries()) {
      const name = Buffer.from(key).toString()
      const value = Buffer.from(values[i]).toString('base64')
      assert(expected.get(name) === value, `${label}: ${name} is not what it was`)
    }
  }
  assert.equal(seen, expected.size, label)
}
