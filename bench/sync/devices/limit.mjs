// Not a device: downloads the bytes of a first sync over the same TLS by the same means, the next page on its way while
// one is written and flushed. It looks at none of them.
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { Agent, fetch } from 'undici'

export async function openDevice(directory, { url, directory: serverDirectory }) {
  const fd = openSync(`${directory}/limit`, 'w')
  const dispatcher = new Agent({
    connect: { ca: readFileSync(`${serverDirectory}/cert.pem`, 'utf8') },
  })
  const download = async (page) => {
    const response = await fetch(`${url}/${page}`, { dispatcher })
    const bytes = new Uint8Array(await response.arrayBuffer())
    return response.status === 200 ? bytes : undefined
  }
  return {
    async pull() {
      let coming = download(0)
      for (let page = 1; ; page++) {
        const bytes = await coming
        if (bytes === undefined) return
        coming = download(page)
        writeSync(fd, bytes)
        fdatasyncSync(fd)
      }
    },
    async close() {
      closeSync(fd)
      await dispatcher.close()
    },
  }
}
