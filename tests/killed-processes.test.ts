/**
 * Real processes killed with SIGKILL while two devices load, push and pull all the cities over TLS.
 * At the end devices and server hold the same bytes and no acknowledged write is missing.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { acknowledgedOf, missingWrites } from './kit/acknowledged.ts'
import { digestOfOperations } from './kit/content-digest.mjs'
import { pullEverything } from './kit/plain-client.ts'
import { LineProcess } from './kit/processes.ts'
import { seededRandom } from './kit/seeded-random.ts'
import { createWorkplace, freePort, type Workplace } from './kit/workplace.ts'

const kills = 20
const cities = 138_398
const dbId = 'cities'

let workplace: Workplace
let port: number
let running: LineProcess[]

beforeEach(async () => {
  workplace = await createWorkplace()
  port = await freePort()
  running = []
})

afterEach(async () => {
  await Promise.all(running.map((child) => child.kill()))
  workplace.remove()
})

function start(script: string, config: object): LineProcess {
  const child = new LineProcess(script, config)
  running.push(child)
  return child
}

async function startServer(): Promise<LineProcess> {
  const { certFile, keyFile, token, directory } = workplace
  const config = { dataDir: `${directory}/server`, certFile, keyFile, token, port }
  const server = start('./server-child.mjs', config)
  await server.line('listening')
  return server
}

function startDevice(share: number): LineProcess {
  return start('./device-child.mjs', {
    directory: `${workplace.directory}/device-${share}`,
    serverUrl: `https://127.0.0.1:${port}`,
    caFile: workplace.certFile,
    token: workplace.token,
    dbId,
    shares: 2,
    share,
    cities,
    editing: true,
  })
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function expectAllThere(reports: readonly string[], lines: readonly string[]): Promise<void> {
  const operations = await pullEverything(`https://127.0.0.1:${port}`, dbId, workplace)
  const { digest, entities } = digestOfOperations(operations)
  expect(missingWrites(acknowledgedOf(lines), operations)).toEqual([])
  expect(entities).toBe(cities + Math.ceil(cities / 500))
  for (const report of reports) expect(report).toBe(`quiet ${digest} ${entities} 0`)
}

describe('killed processes', () => {
  test(`server: SIGKILL ${kills} times while two devices push and pull -> all three identical, nothing acknowledged is missing`, async () => {
    const random = seededRandom(1)
    let server = await startServer()
    const devices = [startDevice(0), startDevice(1)]
    for (let kill = 0; kill < kills; kill++) {
      await pause(200 + random() * 900)
      await server.kill()
      server = await startServer()
    }
    for (const device of devices) device.send('finish')
    const reports = await settle(devices)
    await expectAllThere(
      reports,
      devices.flatMap((device) => device.lines),
    )
    expect(await server.terminate()).toBe(0)
  })

  test(`device: SIGKILL ${kills} times while it loads, pushes and pulls -> all three identical, nothing acknowledged is missing`, async () => {
    const random = seededRandom(2)
    const server = await startServer()
    const steady = startDevice(1)
    const lines: string[] = []
    let killed = startDevice(0)
    for (let kill = 0; kill < kills; kill++) {
      await pause(300 + random() * 1200)
      await killed.kill()
      lines.push(...killed.lines)
      killed = startDevice(0)
    }
    const devices = [killed, steady]
    for (const device of devices) device.send('finish')
    const reports = await settle(devices)
    await expectAllThere(reports, [...lines, ...killed.lines, ...steady.lines])
    expect(await server.terminate()).toBe(0)
  })
})

/** Both devices stop editing, sync until nothing moves, and report what they hold. */
async function settle(devices: readonly LineProcess[]): Promise<string[]> {
  await Promise.all(devices.map((device) => device.line('settled')))
  for (const device of devices) device.send('report')
  return Promise.all(devices.map((device) => device.line('quiet')))
}
