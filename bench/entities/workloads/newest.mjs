// The 20 newest entities of a status, by the composite index: the very newest, which lists begin with, and those
// before a random time, which is a page from the middle. Among few entities, the usual number, and many.
import { assertSequence, Tally } from '../../harness/checks.mjs'
import { createdAtOf, randomIndexes, STATUSES } from '../../harness/data-set.mjs'
import { READ_VARIANTS } from '../engines.mjs'
import { newestByStatus } from '../orders.mjs'

const LIMIT = 20
const MICROS_MOST = 60
/** What a tree of a million entities is deeper than one of 10 thousand. */
const GROWTH_MOST = 1.5
const AFTER_ALL = Number.MAX_SAFE_INTEGER

const KINDS = [
  { name: 'newest', title: `order and limit ${LIMIT} on a composite index, first page` },
  {
    name: 'page',
    title: `order and limit ${LIMIT} on a composite index, page from a random place`,
  },
]

function newestOf(size, { suffix, words, ...taking }) {
  return {
    name: `newest${suffix}`,
    rows: KINDS.map(({ name, title }) => ({
      name: `${name}${suffix}`,
      title: `${title}${words}`,
      unit: 'µs/query',
      digits: 1,
      lessIsBetter: true,
      cost: { unit: 'µs/query', of: (micros) => micros },
      goals: [
        { most: MICROS_MOST },
        { over: 'best peer', most: 1 },
        ...(size === 'large' ? [{ overRow: `${name}-small`, most: GROWTH_MOST }] : []),
      ],
    })),
    size,
    ...taking,
    place: 'unchanged',
    async run({ count, effort, timer, open }) {
      const engine = await open()
      const byStatus = newestByStatus(count)
      const figures = {}
      for (const { name } of KINDS) {
        const pagesOf = name === 'newest' ? firstPages : pagesFromAnywhere
        const micros = await microsByQuery(engine, timer, (seed) =>
          pagesOf(byStatus, effort.pages, seed),
        )
        figures[`${name}${suffix}`] = micros
      }
      await engine.close()
      return figures
    },
  }
}

/** `pagesBy(seed)`: `{ status, before, numbers }`, the numbers in the order of the answer. */
async function microsByQuery(engine, timer, pagesBy) {
  const warmUp = pagesBy(1)
  const sequence = assertSequence('the pages of the warm-up', numbersOf(warmUp))
  await engine.newest(warmUp, LIMIT, sequence.visit)
  sequence.assertComplete()
  const pages = pagesBy(2)
  const seen = new Tally()
  const ms = await timer.time(() => engine.newest(pages, LIMIT, seen.visit))
  seen.assertIs('the pages', numbersOf(pages))
  return (ms * 1000) / pages.length
}

function firstPages(byStatus, pages) {
  return Array.from({ length: pages }, (_, k) => {
    const status = STATUSES[k % STATUSES.length]
    return { status, before: AFTER_ALL, numbers: byStatus.get(status).slice(0, LIMIT) }
  })
}

function pagesFromAnywhere(byStatus, pages, seed) {
  const fewest = Math.min(...STATUSES.map((status) => byStatus.get(status).length))
  return Array.from(randomIndexes(pages, fewest - LIMIT - 1, seed), (start, k) => {
    const status = STATUSES[k % STATUSES.length]
    const numbers = byStatus.get(status)
    const before = createdAtOf(numbers[start])
    return { status, before, numbers: numbers.slice(start + 1, start + 1 + LIMIT) }
  })
}

function numbersOf(pages) {
  return pages.flatMap(({ numbers }) => numbers)
}

const DURABLE = ['entidb', 'better-sqlite3']

export const newest = newestOf('usual', { suffix: '', words: '', variants: READ_VARIANTS })
export const newestOfFew = newestOf('small', {
  ...{ suffix: '-small', words: ', few entities' },
  engines: DURABLE,
})
export const newestOfMany = newestOf('large', {
  ...{ suffix: '-large', words: ', many entities' },
  engines: DURABLE,
})
