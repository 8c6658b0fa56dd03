// SQLite: JSON text in a table without rowid, two indexes over JSON expressions, WAL, synchronous=FULL,
// reads through a memory map. Scans go page by page of ids, which is faster than its row iterator.
// Its interface is synchronous, so commits of one process cannot share a flush.
import Database from 'better-sqlite3'

const STATUS = "json_extract(body, '$.status')"
const CREATED_AT = "json_extract(body, '$.createdAt')"

export async function open(directory, { cacheBytes }) {
  const db = new Database(`${directory}/people.sqlite`)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.pragma(`cache_size = ${-Math.round(cacheBytes / 1024)}`)
  db.pragma('mmap_size = 2147418112')
  db.exec(`
    create table if not exists people (id text primary key, body text not null) without rowid;
    create index if not exists by_status on people (${STATUS});
    create index if not exists by_created_at on people (${CREATED_AT});
  `)
  const insert = db.prepare('insert into people (id, body) values (?, ?)')
  const replace = db.prepare('update people set body = ? where id = ?')
  const select = db.prepare('select body from people where id = ?').pluck()
  const selectRange = db
    .prepare(`select body from people where ${CREATED_AT} >= ? order by ${CREATED_AT} limit ?`)
    .pluck()
  const selectPage = db
    .prepare('select body from people where id > ? order by id limit 1000')
    .pluck()
  const countAll = db.prepare('select count(*) from people').pluck()
  const countStatus = db.prepare(`select count(*) from people where ${STATUS} = ?`).pluck()

  const put = (entity) => insert.run(entity.id, JSON.stringify(entity))
  const load = db.transaction((entities) => {
    for (const entity of entities) put(entity)
  })
  const update = db.transaction((ids, change) => {
    for (const id of ids) {
      const entity = change(JSON.parse(select.get(id)))
      replace.run(JSON.stringify(entity), id)
    }
  })
  return {
    async load(entities) {
      load(entities)
    },
    async putEach(entities) {
      for (const entity of entities) put(entity)
    },
    async putConcurrently(entities) {
      for (const entity of entities) put(entity)
    },
    async getAll(ids, visit) {
      for (const id of ids) visit(JSON.parse(select.get(id)))
    },
    async range(from, limit, visit) {
      for (const body of selectRange.all(from, limit)) visit(JSON.parse(body))
    },
    async scan(visit) {
      let last = { id: '' }
      for (;;) {
        const page = selectPage.all(last.id)
        if (page.length === 0) return
        for (const body of page) {
          last = JSON.parse(body)
          visit(last)
        }
      }
    },
    async update(ids, change) {
      update(ids, change)
    },
    count: async () => countAll.get(),
    countByStatus: async (status) => countStatus.get(status),
    async close() {
      db.close()
    },
  }
}
