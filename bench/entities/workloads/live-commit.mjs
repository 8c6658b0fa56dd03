// What 1,000 live queries that do not concern a commit add to it: commits of one entity in batches, by turns with
// the live queries open and without any.
import { median } from '../../figures.mjs'
import { entityAt } from '../../harness/data-set.mjs'

const LIVE_QUERIES = 1000
const RATIO_MOST = 1.1
const WARM_UP_BATCHES = 2

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
    async run({ count, effort, timer, open }) {
      const db = await open()
      const watched = Array.from({ length: LIVE_QUERIES }, (_, k) => entityAt(count - 1 - k))
      const commits = commitsOf(effort)
      let next = 0
      const changedOnes = () => Array.from({ length: commits }, () => changed(next++, count))
      const putEach = async (entities) => {
        for (const entity of entities) await db.put(entity)
      }
      // Opening and closing that many live queries, and collecting them, makes V8 forget code: each batch warms up
      // by as many commits as are measured.
      const batch = async () => {
        await putEach(changedOnes())
        const entities = changedOnes()
        return timer.time(() => putEach(entities))
      }
      const alone = []
      const watchedBy = []
      for (let k = 0; k < WARM_UP_BATCHES + effort.liveBatches; k++) {
        const without = await batch()
        const close = await db.liveOfEach(watched)
        const withAll = await batch()
        close()
        if (k < WARM_UP_BATCHES) continue
        alone.push(without)
        watchedBy.push(withAll)
      }
      await db.close()
      return { [name]: median(watchedBy) / median(alone) }
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
