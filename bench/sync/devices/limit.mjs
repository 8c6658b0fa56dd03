// Not a device: it makes the requests and the flushed writes of ours by plain Node, and looks at nothing. `pull`: the bytes
// of a first sync, the next page on its way while one is written. A live edit: stored, stored again as what is sent, sent,
// and the answer stored; on the other device woken, asked for and stored.
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { Agent, fetch } from 'undici'
import { FlushedFile } from '../flushed-file.mjs'

export async function openDevice(directory, { url, directory: serverDirectory }) {
  const pages = openSync(`${directory}/limit`, 'w')
  const log = new FlushedFile(`${directory}/limit-log`)
  const dispatcher = new Agent({
    connect: { ca: readFileSync(`${serverDirectory}/cert.pem`, 'utf8') },
  })
  const following = new AbortController()
  const ask = async (path, init) => {
    const response = await fetch(`${url}/${path}`, { ...init, dispatcher })
    const bytes = new Uint8Array(await response.arrayBuffer())
    return response.status === 200 ? bytes : undefined
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
    for await (const chunk of stream) {
      await sending
      // Of a push of its own.
      if (Number(/data: (\d+)/.exec(Buffer.from(chunk))?.[1] ?? 0) <= known) continue
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
      const { body } = await fetch(`${url}/stream`, { dispatcher, signal })
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
      await dispatcher.close()
    },
  }
}
