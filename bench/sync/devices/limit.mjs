// Not a device: it makes the requests and the flushed writes of ours by plain Node, and looks at nothing. `pull`: the bytes
// of a first sync, the next page on its way while one is written. A live edit: stored, stored again as what is sent, sent,
// and the answer stored; on the other device woken, asked for and stored.
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { nodeFetch } from '@entidb/sync/node'
import { FlushedFile } from '../flushed-file.mjs'

export async function openDevice(directory, { url, directory: serverDirectory }) {
  const pages = openSync(`${directory}/limit`, 'w')
  const log = new FlushedFile(`${directory}/limit-log`)
  const fetch = nodeFetch({ ca: readFileSync(`${serverDirectory}/cert.pem`) })
  const following = new AbortController()
  const ask = async (path, init) => {
    const { status, body } = await fetch(`${url}/${path}`, { method: 'GET', ...init })
    const pieces = []
    for await (const piece of piecesOf(body)) pieces.push(piece)
    return status === 200 ? Buffer.concat(pieces) : undefined
  }
  /** The number of the last push that is known here. */
  let known = 0
  let sending = Promise.resolve()
  const send = async (body) => {
    log.write(body)
    const answer = await ask('push', { method: 'POST', body })
    log.write(answer)
    known = Buffer.from(answer).readUInt32BE()
  }
  let listening = Promise.resolve()
  const listen = async (stream, listener) => {
    for await (const piece of piecesOf(stream)) {
      await sending
      // Of a push of its own.
      if (Number(/data: (\d+)/.exec(Buffer.from(piece))?.[1] ?? 0) <= known) continue
      const bytes = await ask('last')
      log.write(bytes)
      for (const entity of JSON.parse(Buffer.from(bytes))) listener(entity)
    }
  }
  return {
    async putMany(entities) {
      const body = Buffer.from(JSON.stringify(entities))
      log.write(body)
      sending = sending.then(() => send(body))
    },
    async pull() {
      let coming = ask(0)
      for (let page = 1; ; page++) {
        const bytes = await coming
        if (bytes === undefined) return
        coming = ask(page)
        writeSync(pages, bytes)
        fdatasyncSync(pages)
      }
    },
    async follow(listener) {
      const { signal } = following
      const { body } = await fetch(`${url}/stream`, { method: 'GET', signal })
      listening = listen(body, listener).catch((error) => {
        if (!signal.aborted) throw error
      })
    },
    async close() {
      await sending
      following.abort()
      await listening
      closeSync(pages)
      log.close()
    },
  }
}

async function* piecesOf(body) {
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}
