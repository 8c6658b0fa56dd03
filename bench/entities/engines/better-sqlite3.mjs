// SQLite: JSON text, indexes over JSON expressions, WAL, synchronous=FULL, reads through a memory map. A table with
// rowids is faster by its indexes than one without, and by equality the short index, which it would not take itself.
import Database from 'better-sqlite3'

const STATUS = "json_extract(body, '$.status')"
const CREATED_AT = "json_extract(body, '$.createdAt')"
const EMAIL = "json_extract(body, '$.email')"

export async function open(directory, { cacheBytes }) {
  const db = new Database(`${directory}/people.sqlite`)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.pragma(`cache_size = ${-Math.round(cacheBytes / 1024)}`)
  db.pragma('mmap_size = 2147418112')
  db.exec(`
    create table if not exists people (id text primary key, body text not null);
    create index if not exists by_status on people (${STATUS});
    create index if not exists by_created_at on people (${CREATED_AT});
    create unique index if not exists by_email on people (${EMAIL});
    create index if not exists by_recent on people (${STATUS}, ${CREATED_AT});
  `)
  const prepare = (rest) => db.prepare(`select body from people ${rest}`).pluck()
  const insert = db.prepare('insert into people (id, body) values (?, ?)')
  const selectStatus = prepare(`indexed by by_status where ${STATUS} = ?`)
  const selectRange = prepare(`where ${CREATED_AT} between ? and ? order by ${CREATED_AT}`)
  const selectEmail = prepare(`where ${EMAIL} = ?`)
  const selectNewest = prepare(
    `where ${STATUS} = ? and ${CREATED_AT} < ? order by ${CREATED_AT} desc limit ?`,
  )
  const selectAll = prepare('')
  const visitAll = (bodies, visit) => {
    for (const body of bodies) visit(JSON.parse(body))
  }
  const load = db.transaction((entities) => {
    for (const entity of entities) insert.run(entity.id, JSON.stringify(entity))
  })
  return {
    async load(entities) {
      load(entities)
    },
    async withStatus(status, visit) {
      visitAll(selectStatus.all(status), visit)
    },
    async between(ranges, visit) {
      for (const { from, to } of ranges) visitAll(selectRange.all(from, to), visit)
    },
    async withEmails(emails, visit) {
      for (const email of emails) visit(JSON.parse(selectEmail.get(email)))
    },
    async newest(pages, limit, visit) {
      for (const { status, before } of pages) {
        visitAll(selectNewest.all(status, before, limit), visit)
      }
    },
    async filter(test, visit) {
      for (const body of selectAll.iterate()) {
        const entity = JSON.parse(body)
        if (test(entity)) visit(entity)
      }
    },
    async close() {
      db.close()
    },
  }
}
