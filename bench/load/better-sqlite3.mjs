// Bulk load of the cities into SQLite as JSON: one transaction, WAL, synchronous=FULL, the same two
// indexes over the JSON. argv[2]: directory.
import Database from 'better-sqlite3'
import { cityEntities } from '../cities.mjs'
import { report } from '../report.mjs'

const entities = cityEntities()
const db = new Database(`${process.argv[2]}/cities.sqlite`)
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')
db.exec(`
  create table cities (id text primary key, body text not null) without rowid;
  create index by_country on cities (json_extract(body, '$.country'), json_extract(body, '$.population'));
  create index by_name on cities (json_extract(body, '$.name'));
`)
const insert = db.prepare('insert into cities (id, body) values (?, ?)')
const started = performance.now()
db.transaction(() => {
  for (const entity of entities) insert.run(entity.id, JSON.stringify(entity))
})()
report({ ms: performance.now() - started, entities: entities.length })
db.close()
