// What 1,000 live queries that do not concern a commit add to it: commits of one entity in batches, by turns in a
// database with the live queries open and in its copy without any.
import { cpSync, existsSync, rmSync } from 'node:fs'
import { median } from '../../figures.mjs'
import { entityAt } from '../../harness/data-set.mjs'

const LIVE_QUERIES = 1000
const RATIO_MOST = 1.1

function liveCommitOf(engine, { suffix, words, commitsOf }) {
  const name = `live-commit${suffix}`
  return {
    name,
    rows: [
      {
        name,
        title: `one-entity commit with ${LIVE_QUERIES} unrelated live queries open, over the same with none${words}`,
        unit: 'x',
        digits: 3,
        lessIsBetter: true,
        of: engine,
        goals: [{ most: RATIO_MOST }],
      },
    ],
    engines: [engine],
    place: 'copy',
    scales: false,
    async run({ directory, count, effort, timer, open }) {
      // Two databases, and not one that opens and closes them by turns: opening is no part of a commit.
      const copy = `${directory}-watched`
      if (existsSync(directory)) cpSync(directory, copy, { recursive: true })
      const [alone, watched] = [await open(), await open(copy)]
      await watched.liveOfEach(
        Array.from({ length: LIVE_QUERIES }, (_, k) => entityAt(count - 1 - k)),
      )
      const commits = commitsOf(effort)
      let next = 0
      const batchOf = (db) => {
        const entities = Array.from({ length: commits }, () => changed(next++, count))
        return timer.time(async () => {
          for (const entity of entities) await db.put(entity)
        })
      }
      const times = { alone: [], watched: [] }
      for (let k = 0; k < 2 * effort.liveBatches; k++) {
        const [without, withAll] = [await batchOf(alone), await batchOf(watched)]
        // As much work to warm up as is measured.
        if (k < effort.liveBatches) continue
        times.alone.push(without)
        times.watched.push(withAll)
      }
      await alone.close()
      await watched.close()
      rmSync(copy, { recursive: true, force: true })
      return { [name]: median(times.watched) / median(times.alone) }
    },
  }
}

/** Another state of one of the entities that nobody watches. */
function changed(commit, count) {
  const number = (commit * 7919) % (count - LIVE_QUERIES)
  return { ...entityAt(number), visits: 1000 + commit }
}

export const liveCommit = liveCommitOf('entidb', {
  ...{ suffix: '', words: '' },
  commitsOf: ({ liveCommits }) => liveCommits,
})
export const liveCommitInMemory = liveCommitOf('entidb-memory', {
  ...{ suffix: '-memory', words: ', in memory' },
  commitsOf: ({ liveCommitsInMemory }) => liveCommitsInMemory,
})
