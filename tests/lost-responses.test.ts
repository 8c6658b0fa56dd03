/** Every n-th response is lost after the server has processed the request. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { acknowledgedOf, missingWrites } from './kit/acknowledged.ts'
import { digestOfOperations } from './kit/content-digest.mjs'
import { type LossyProxy, startLossyProxy } from './kit/lossy-proxy.ts'
import { pullEverything } from './kit/plain-client.ts'
import { LineProcess } from './kit/processes.ts'
import { createWorkplace, freePort, type Workplace } from './kit/workplace.ts'

const cities = 20_000
const dbId = 'cities'

let workplace: Workplace
let running: LineProcess[]
let proxy: LossyProxy | undefined

beforeEach(async () => {
  workplace = await createWorkplace()
  running = []
})

afterEach(async () => {
  await Promise.all(running.map((child) => child.kill()))
  await proxy?.close()
  proxy = undefined
  workplace.remove()
})

describe('lost responses', () => {
  test.each([2, 3, 5])(
    'proxy: every %i. response is lost after processing -> no duplicate, no loss, no false conflict',
    async (n) => {
      const [port, proxyPort] = [await freePort(), await freePort()]
      const { certFile, keyFile, token, directory } = workplace
      const server = new LineProcess('./server-child.mjs', {
        dataDir: `${directory}/server`,
        certFile,
        keyFile,
        token,
        port,
      })
      running.push(server)
      await server.line('listening')
      proxy = await startLossyProxy(
        `https://127.0.0.1:${port}`,
        workplace,
        proxyPort,
        (_, seen) => seen % n === 0,
      )
      const serverUrl = proxy.url
      const devices = [0, 1].map(
        (share) =>
          new LineProcess('./device-child.mjs', {
            directory: `${directory}/device-${share}`,
            serverUrl,
            caFile: certFile,
            token,
            dbId,
            shares: 2,
            share,
            cities,
            editing: true,
          }),
      )
      running.push(...devices)
      await new Promise((resolve) => setTimeout(resolve, 4_000))
      for (const device of devices) device.send('finish')
      await Promise.all(devices.map((device) => device.line('settled')))
      for (const device of devices) device.send('report')
      const reports = await Promise.all(devices.map((device) => device.line('quiet')))

      const operations = await pullEverything(`https://127.0.0.1:${port}`, dbId, workplace)
      const { digest, entities } = digestOfOperations(operations)
      const lines = devices.flatMap((device) => device.lines)
      expect(proxy.lost).toBeGreaterThan(5)
      expect(missingWrites(acknowledgedOf(lines), operations)).toEqual([])
      expect(reports).toEqual([`quiet ${digest} ${entities} 0`, `quiet ${digest} ${entities} 0`])
      expect(entities).toBe(cities + Math.ceil(cities / 500))
      expect(new Set(operations.map((op) => `${op.deviceId}/${op.opId}`)).size).toBe(
        operations.length,
      )
    },
  )
})
