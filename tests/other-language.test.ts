/**
 * A client in another language, written from docs/protocol.md alone, against a real server. What it
 * asks is in other-language/; `python3 other-language/client.py --help` says how to run it by hand.
 */
import { execFile } from 'node:child_process'
import { cpSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, type TestContext, test } from 'vitest'
import { LineProcess } from './kit/processes.ts'
import { createWorkplace, freePort, type Workplace } from './kit/workplace.ts'

const readerToken = 'other-language-reader'
const namedToken = 'other-language-named'
const namedDb = 'python-named'

let workplace: Workplace
let running: LineProcess[]

beforeEach(async () => {
  workplace = await createWorkplace()
  running = []
})

afterEach(async () => {
  await Promise.all(running.map((child) => child.kill()))
  workplace.remove()
})

describe('another language', () => {
  test('python: vectors of the protocol -> each accepted or refused as it says', async (context) => {
    await needsPython(context)
    const vectors = fileURLToPath(new URL('../packages/protocol/vectors', import.meta.url))
    expect(await python(['vectors.py', vectors])).toEqual(allHold)
  })

  test('python: a client written from the page -> every check holds', async (context) => {
    await needsPython(context)
    const open = await startServer('open', true)
    const closed = await startServer('closed', false)
    const options = [
      ...['--reader-token', readerToken],
      ...['--named-token', namedToken, '--named-db', namedDb],
      ...['--closed-url', closed.url],
    ]
    expect(await client(open.url, options)).toEqual(allHold)
    // Names that lead elsewhere made nothing, and a server that makes no databases made none.
    expect(foldersIn(workplace.directory)).toEqual(['open'])
    const strays = foldersIn(`${workplace.directory}/open`).filter((name) => !/^python-/.test(name))
    expect(strays).toEqual([])
  })

  test('python: the server is killed and comes back -> a new epoch, nothing lost', async (context) => {
    await needsPython(context)
    const file = `${workplace.directory}/memory.json`
    const first = await startServer('killed', true)
    expect(await client(first.url, ['--write', file])).toEqual(allHold)
    await first.process.kill()
    const second = await startServer('killed', true)
    expect(await client(second.url, ['--restarted', file])).toEqual(allHold)
  })

  test('python: older files are copied back under the server -> noticed, what it forgot is given back', async (context) => {
    await needsPython(context)
    const [data, copy] = [`${workplace.directory}/restored`, `${workplace.directory}/copy`]
    const file = `${workplace.directory}/memory.json`
    const first = await startServer('restored', true)
    expect(await client(first.url, ['--write', file])).toEqual(allHold)
    await first.process.terminate()
    cpSync(data, copy, { recursive: true })
    const second = await startServer('restored', true)
    expect(await client(second.url, ['--write', file])).toEqual(allHold)
    await second.process.terminate()
    rmSync(data, { recursive: true })
    renameSync(copy, data)
    const third = await startServer('restored', true)
    expect(await client(third.url, ['--restored', file])).toEqual(allHold)
  })
})

/** What `python` gives for a script that found nothing wrong. */
const allHold = { failures: [], code: 0 }

function foldersIn(directory: string): string[] {
  const entries = readdirSync(directory, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

interface Outcome {
  /** The lines that report no success: on failure they are what the reader of the test needs. */
  readonly failures: string[]
  readonly code: number
}

async function python(args: readonly string[]): Promise<Outcome> {
  const cwd = fileURLToPath(new URL('./other-language', import.meta.url))
  return new Promise((resolve) => {
    execFile('python3', args, { cwd, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line !== '')
      const failures = lines.filter((line) => !/^ok |^\d+ checks, 0 failed$/.test(line))
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ failures, code })
    })
  })
}

async function needsPython(context: TestContext): Promise<void> {
  const { code } = await python(['-c', 'import ssl, sys; sys.exit(sys.version_info < (3, 9))'])
  if (code === 0) return
  const reason = 'python3 of at least 3.9 with ssl is not installed'
  console.warn(`skipped, ${reason}: ${context.task.name}`)
  context.skip(reason)
}

async function client(url: string, options: readonly string[]): Promise<Outcome> {
  const { certFile, token } = workplace
  return python([
    'client.py',
    '--url',
    url,
    '--ca',
    certFile,
    '--token',
    token,
    '--db',
    'python',
    ...options,
  ])
}

async function startServer(
  name: string,
  createDatabases: boolean,
): Promise<{ process: LineProcess; url: string }> {
  const { certFile, keyFile, token, directory } = workplace
  const port = await freePort()
  const process = new LineProcess('./server-child.mjs', {
    dataDir: `${directory}/${name}`,
    certFile,
    keyFile,
    token,
    port,
    createDatabases,
    tokens: {
      [readerToken]: { subject: 'reader', databases: '*', access: 'read' },
      [namedToken]: { subject: 'named', databases: [namedDb], access: 'write' },
    },
  })
  running.push(process)
  await process.line('listening')
  return { process, url: `https://127.0.0.1:${port}` }
}
