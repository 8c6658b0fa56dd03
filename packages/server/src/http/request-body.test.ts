import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { IncomingBody, type RequestBody, WebBody } from './request-body.ts'

const HEAD = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n'

let server: Server | undefined

afterEach(() => server?.close())

async function connectTo(listener: RequestListener): Promise<Socket> {
  const started = createServer(listener)
  server = started
  started.listen(0, '127.0.0.1')
  await once(started, 'listening')
  const socket = connect((started.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** A request whose body has begun, and its socket. */
async function begun(): Promise<{ readonly incoming: IncomingMessage; readonly socket: Socket }> {
  let arrived: (incoming: IncomingMessage) => void = () => {}
  const arriving = new Promise<IncomingMessage>((resolve) => {
    arrived = resolve
  })
  const socket = await connectTo((incoming) => arrived(incoming))
  socket.write(`${HEAD}abc`)
  return { incoming: await arriving, socket }
}

async function textOf(body: RequestBody): Promise<string> {
  let text = ''
  await body.read((chunk) => {
    text += new TextDecoder().decode(chunk)
  })
  return text
}

describe('as Node hands it over', () => {
  test('in pieces -> all of them', async () => {
    const { incoming, socket } = await begun()
    const reading = textOf(new IncomingBody(incoming))
    socket.write('def')
    expect(await reading).toBe('abcdef')
    socket.destroy()
  })

  test('the connection ends within it, or did before it is read -> rejects', async () => {
    const { incoming, socket } = await begun()
    const reading = textOf(new IncomingBody(incoming))
    socket.destroy()
    await expect(reading).rejects.toThrow()
    await expect(textOf(new IncomingBody(incoming))).rejects.toThrow('ended within the body')
  })

  test('cancelled -> what came until then', async () => {
    const { incoming, socket } = await begun()
    const body = new IncomingBody(incoming)
    const reading = textOf(body)
    await once(incoming, 'data')
    body.cancel()
    expect(await reading).toBe('abc')
    socket.destroy()
  })

  test('what is handed over is refused -> rejects with that, and the rest can be discarded', async () => {
    let body: IncomingBody | undefined
    const socket = await connectTo((incoming, outgoing) => {
      body = new IncomingBody(incoming)
      const refuse = (): never => {
        throw new Error('too much')
      }
      body.read(refuse).catch(({ message }) => {
        body?.discard()
        outgoing.end(message)
      })
    })
    socket.write(`${HEAD}abc`)
    socket.write(`def${HEAD}abcdef`)
    let answers = ''
    socket.on('data', (chunk) => {
      answers += chunk
    })
    await expect.poll(() => answers.match(/too much/g)?.length).toBe(2)
    socket.destroy()
  })
})

test('a web stream: in pieces -> all of them; cancelled -> what came until then', async () => {
  const pieces = ['abc', 'def'].map((text) => new TextEncoder().encode(text))
  const whole = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    },
  })
  expect(await textOf(new WebBody(whole))).toBe('abcdef')
  const unending = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode('abc')),
  })
  const endless = new WebBody(unending)
  let text = ''
  const reading = endless.read((chunk) => {
    text += new TextDecoder().decode(chunk)
  })
  await expect.poll(() => text).toBe('abc')
  endless.cancel()
  await reading
})
