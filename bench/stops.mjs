// How long commits wait while checkpoints run: into a million entities with two indexes, at full speed, by one
// committer and by 64. Run: npm run bench -- stops
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { defineCollection, EntiDB } from '@entidb/core'
import { fileStorage } from '@entidb/core/node'
import { formatColumns, formatNumber } from './figures.mjs'
import { entitiesBetween, entityAt } from './harness/data-set.mjs'
import { LoopWatch } from './loop-watch.mjs'

const ENTITIES = 1_000_000
const LOADED_AT_ONCE = 20_000
const SECONDS = 15
/** In its first moments JavaScript runs unoptimised. */
const WARM_UP_COMMITS = 3000

export async function stops() {
  const directory = mkdtempSync(join(tmpdir(), 'entidb-stops-'))
  try {
    const db = await EntiDB.open({
      storage: fileStorage(directory),
      collections: {
        people: defineCollection({ indexes: { status: ['status'], createdAt: ['createdAt'] } }),
      },
    })
    const people = db.collection('people')
    for (let from = 0; from < ENTITIES; from += LOADED_AT_ONCE) {
      await people.putMany(entitiesBetween(from, from + LOADED_AT_ONCE))
    }
    let next = ENTITIES
    const put = () => people.put(entityAt(next++))
    for (let i = 0; i < WARM_UP_COMMITS; i++) await put()
    const lines = [
      [
        'committers',
        'commits/s',
        'checkpoints',
        'slowest ms',
        'turn ms',
        'collector ms',
        'rest ms',
      ],
    ]
    for (const committers of [1, 64]) {
      const before = (await db.stats()).store.checkpoints
      const { commits, slowest, turns } = await commitFor(SECONDS, committers, put)
      const checkpoints = (await db.stats()).store.checkpoints - before
      const { longest, collector, rest } = turns
      const figures = [
        committers,
        commits / SECONDS,
        checkpoints,
        slowest,
        longest,
        collector,
        rest,
      ]
      lines.push(figures.map((figure) => formatNumber(figure)))
    }
    await db.close()
    console.log(`\ncommits into ${formatNumber(ENTITIES)} entities, ${SECONDS} s each`)
    console.log(formatColumns(lines))
    console.log(
      "turn: the longest of the event loop; collector: the longest pause of V8's garbage collector;",
    )
    console.log('rest: the longest turn less the pauses in it')
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function commitFor(seconds, committers, put) {
  const watch = new LoopWatch()
  const end = performance.now() + seconds * 1000
  let commits = 0
  let slowest = 0
  const commit = async () => {
    for (let start = performance.now(); start < end; start = performance.now()) {
      await put()
      commits++
      slowest = Math.max(slowest, performance.now() - start)
    }
  }
  watch.begin()
  await Promise.all(Array.from({ length: committers }, commit))
  return { commits, slowest, turns: await watch.end() }
}
