/** The checker is checked: our server passes every rule, and with a known fault it fails the right ones. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStorage } from '@entidb/core'
import { createSyncServer } from '@entidb/server'
import { describe, expect, test } from 'vitest'
import { ensureCertificate } from '../secrets/certificate.ts'
import { faults } from './faults.test-kit.ts'
import {
  closedDbId,
  createFaultyServer,
  dbId,
  HASTE,
  readerToken,
  testServerOptions,
  writerToken,
} from './faulty-server.test-kit.ts'
import { createHttpsWire } from './https-wire.ts'
import type { Rule } from './rule.ts'
import { allRules } from './rules/all-rules.ts'
import { type ConformanceReport, runConformance } from './run-conformance.ts'
import { knowsNoExtensions } from './simple-server.test-kit.ts'
import type { Wire } from './wire.ts'

function reportOn(wire: Wire, rules: readonly Rule[] = allRules): Promise<ConformanceReport> {
  const options = {
    wire,
    token: writerToken,
    dbId,
    readerToken,
    otherDatabase: closedDbId,
    randomBytes: (count: number) => new Uint8Array(randomBytes(count)),
    sleep: () => Promise.resolve(),
    heartbeatMsMax: 25_000 / HASTE,
    eventMsMax: 500,
  }
  return runConformance(rules, options, new AbortController().signal)
}

// A run is about a thousand requests.
describe('conformance', { timeout: 120_000 }, () => {
  test('our server over TLS -> no rule fails, one cannot be asked, what was written is deleted', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'entidb-conformance-'))
    const tls = await ensureCertificate(directory, Date.now())
    const server = await createSyncServer({ ...testServerOptions, tls })
    await server.listen()
    const wire = createHttpsWire(new URL(server.url), tls.cert)
    try {
      const { results, deleted } = await reportOn(wire)
      const others = results.filter(({ result }) => result !== 'passed')
      expect(others).toMatchObject([{ id: 'pull/cursor-expired', result: 'skipped' }])
      expect(deleted).toBeGreaterThan(100)
    } finally {
      wire.close()
      await server.close()
      rmSync(directory, { recursive: true })
    }
  })

  test('a server that was restarted, with data in it -> no rule fails although an epoch begins', async () => {
    const storage = memoryStorage()
    for (const rules of [allRules.slice(0, 12), allRules]) {
      const server = createFaultyServer((request, next) => next(request), storage)
      try {
        const { results } = await reportOn(server.wire, rules)
        expect(results.filter(({ result }) => result === 'failed')).toEqual([])
      } finally {
        await server.close()
      }
    }
  })

  test('a server that knows no extensions -> no rule fails; what it does not know is skipped', async () => {
    const server = createFaultyServer(knowsNoExtensions)
    try {
      const { results } = await reportOn(server.wire)
      const failed = results.filter(({ result }) => result === 'failed')
      expect(failed.map(({ id }) => id)).toEqual([])
      const passed = results.filter(({ result }) => result === 'passed')
      expect(passed.length).toBeGreaterThan(80)
    } finally {
      await server.close()
    }
  })

  test.each(faults)(
    'a server where $name -> exactly its rules fail',
    async ({ createFault, fails }) => {
      const server = createFaultyServer(createFault())
      try {
        const { results } = await reportOn(server.wire)
        const failed = results.filter(({ result }) => result === 'failed').map(({ id }) => id)
        expect(failed.sort()).toEqual([...fails].sort())
      } finally {
        await server.close()
      }
    },
  )
})
