// TinyBase: in memory, its rows made from cells for every reader. Its indexes are slices by a value, each sorted by
// another: the place in a sorted slice is found by bisection here.
import { createIndexes, createQueries, createStore } from 'tinybase'

const TABLE = 'people'
const ALL = 'all'

export async function open() {
  const store = createStore()
  const indexes = createIndexes(store)
  indexes.setIndexDefinition('byCreatedAt', TABLE, () => ALL, 'createdAt')
  indexes.setIndexDefinition('byEmail', TABLE, 'email')
  indexes.setIndexDefinition('byStatus', TABLE, 'status', 'createdAt')
  const row = (id) => store.getRow(TABLE, id)
  const createdAt = (id) => store.getCell(TABLE, id, 'createdAt')

  /** How many of a slice were created before. */
  function countBefore(ids, time) {
    let low = 0
    let high = ids.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (createdAt(ids[middle]) < time) low = middle + 1
      else high = middle
    }
    return low
  }
  return {
    async load(entities) {
      store.transaction(() => {
        for (const entity of entities) store.setRow(TABLE, entity.id, entity)
      })
    },
    async withStatus(status, visit) {
      for (const id of indexes.getSliceRowIds('byStatus', status)) visit(row(id))
    },
    async between(ranges, visit) {
      for (const { from, to } of ranges) {
        const ids = indexes.getSliceRowIds('byCreatedAt', ALL)
        const end = countBefore(ids, to + 1)
        for (let k = countBefore(ids, from); k < end; k++) visit(row(ids[k]))
      }
    },
    async withEmails(emails, visit) {
      for (const email of emails) visit(row(indexes.getSliceRowIds('byEmail', email)[0]))
    },
    async newest(pages, limit, visit) {
      for (const { status, before } of pages) {
        const ids = indexes.getSliceRowIds('byStatus', status)
        const end = countBefore(ids, before)
        for (let k = end - 1; k >= Math.max(0, end - limit); k--) visit(row(ids[k]))
      }
    },
    async filter(test, visit) {
      for (const id of store.getRowIds(TABLE)) {
        const entity = row(id)
        if (test(entity)) visit(entity)
      }
    },
    async put(entity) {
      store.setRow(TABLE, entity.id, entity)
    },
    /** Its listeners of rows are told no order. */
    async liveBetween({ from, to }, listener) {
      const queries = createQueries(store)
      queries.setQueryDefinition('live', TABLE, ({ select, where }) => {
        for (const field of store.getTableCellIds(TABLE)) select(field)
        where((getCell) => getCell('createdAt') >= from && getCell('createdAt') <= to)
      })
      queries.addResultRowListener('live', null, (_queries, _table, id) => {
        listener(queries.getResultRow('live', id))
      })
      return () => queries.destroy()
    },
    async close() {},
  }
}
