// PouchDB on LevelDB, which it does not flush, over plain HTTP. Of two edits of one entity it shows the same one
// everywhere and keeps the other as a conflict; nothing is merged.
import PouchDB from 'pouchdb'

const BATCHES = { batch_size: 1000, batches_limit: 10 }

/** `server.gzip`: false asks for answers as they are; it asks for compressed ones by itself. */
export async function openDevice(directory, { url, gzip = false }) {
  const db = new PouchDB(`${directory}/people`)
  const remote = new PouchDB(`${url}/people`, {
    fetch: (input, init) => {
      if (!gzip) init.headers.set('accept-encoding', 'identity')
      return PouchDB.fetch(input, init)
    },
  })
  const revisions = new Map()
  let endFollowing = async () => {}

  const pull = async () => failOnErrors(await db.replicate.from(remote, BATCHES))
  const push = async () => failOnErrors(await db.replicate.to(remote, BATCHES))
  return {
    async putMany(entities) {
      await learnRevisions(db, revisions)
      const answers = await db.bulkDocs(entities.map((entity) => documentOf(entity, revisions)))
      for (const { id, rev, error } of answers) {
        if (error) throw new Error(`PouchDB refused ${id}`)
        revisions.set(id, rev)
      }
    },
    pull,
    push,
    async sync() {
      await pull()
      await push()
    },
    async follow(listener) {
      const changes = db.changes({ since: 'now', live: true, include_docs: true })
      changes.on('change', ({ doc }) => {
        if (revisions.get(doc._id) !== doc._rev) listener(entityOf(doc))
      })
      const live = db.sync(remote, { ...BATCHES, live: true })
      await new Promise((resolve) => live.once('paused', resolve))
      endFollowing = async () => {
        changes.cancel()
        const ended = new Promise((resolve) => live.once('complete', resolve))
        live.cancel()
        await ended
      }
    },
    async read(id) {
      const document = await db.get(`id-${id}`).catch(undefinedIfMissing)
      return document && entityOf(document)
    },
    async scan(visit) {
      const { rows } = await db.allDocs({ include_docs: true })
      for (const { doc } of rows) visit(entityOf(doc))
    },
    async close() {
      await endFollowing()
      await remote.close()
      await db.close()
    },
  }
}

/** A change names the revision that it replaces: as an application would that read the documents to edit them. */
async function learnRevisions(db, revisions) {
  if (revisions.size > 0) return
  const { rows } = await db.allDocs()
  for (const { id, value } of rows) revisions.set(id, value.rev)
}

/** An `_id` must not begin with an underscore. */
function documentOf({ id, ...fields }, revisions) {
  const _id = `id-${id}`
  const _rev = revisions.get(_id)
  return { _id, ...(_rev === undefined ? {} : { _rev }), ...fields }
}

function entityOf({ _id, ...fields }) {
  return { id: _id.slice(3), ...fields }
}

function undefinedIfMissing(error) {
  if (error.name === 'not_found') return undefined
  throw error
}

function failOnErrors({ errors }) {
  if (errors.length > 0) throw new Error(`PouchDB: ${errors}`)
}
