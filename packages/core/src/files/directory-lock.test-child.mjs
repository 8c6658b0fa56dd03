/**
 * Process of the tests of the directory lock: `node directory-lock.test-child.mjs MODE DIRECTORY`.
 * Writes one line of JSON for each thing that happened. Reads lines from standard input as commands.
 */

import cluster from 'node:cluster'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { createNodeFileSystem } from '../../dist/files/node-file-system.js'

const [mode, directory] = process.argv.slice(2)
const modes = { hold, lockAndReturn, contend, holdInWorker }

function report(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

/** Tries whenever it is told to, and holds what it got until it is told to release. */
async function hold() {
  let lock
  report({ event: 'ready' })
  for await (const command of createInterface({ input: process.stdin })) {
    if (command === 'release') {
      await lock.release()
      report({ event: 'released' })
      continue
    }
    try {
      lock = await createNodeFileSystem(directory).lock()
      report({ event: 'locked', pid: process.pid })
    } catch (error) {
      report({ event: 'failed', code: error.code, details: error.details })
    }
  }
}

/** Has nothing else to do: the lock alone must not keep it running. */
async function lockAndReturn() {
  await createNodeFileSystem(directory).lock()
  report({ event: 'locked', pid: process.pid })
}

/** Locks and releases until killed, and watches that nobody else owns the directory meanwhile. */
async function contend() {
  const witness = join(directory, 'witness')
  report({ event: 'ready' })
  for (;;) {
    const lock = await createNodeFileSystem(directory).lock().catch(onlyLocked)
    // Without a rest those who wait would leave no processor to the one that owns it.
    if (lock === undefined) {
      await wait(Math.random())
      continue
    }
    writeFileSync(witness, String(process.pid))
    await wait(Math.random() * 3)
    const owner = readFileSync(witness, 'utf8')
    if (owner !== String(process.pid)) report({ event: 'violated', owner, pid: process.pid })
    report({ event: 'owned' })
    await lock.release()
  }
}

function onlyLocked(error) {
  if (error.code !== 'database_locked')
    report({ event: 'failed', code: error.code, message: error.message })
}

/** A worker of node:cluster holds the lock and dies; its parent lives on. */
async function holdInWorker() {
  if (cluster.isWorker) return hold()
  cluster.setupPrimary({ args: [mode, directory], silent: true })
  const worker = cluster.fork()
  worker.process.stdout.pipe(process.stdout)
  process.stdin.once('data', () => {
    worker.process.stdin.write('lock\n')
    process.stdin.once('data', () => worker.process.kill('SIGKILL'))
  })
  worker.once('exit', () => report({ event: 'worker-died' }))
}

await modes[mode]()
