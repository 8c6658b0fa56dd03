// Runs each engine in a process of its own.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { reportedIn } from './report.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))

/** Installs the foreign engines when one is missing; the repository itself never depends on them. */
export function installPeers() {
  const { dependencies } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))
  const isInstalled = (name) => existsSync(join(here, 'node_modules', name))
  if (Object.keys(dependencies).every(isInstalled)) return
  console.log(
    'installing the peers into bench/node_modules (once; better-sqlite3 may compile for a minute)',
  )
  const { status } = spawnSync('npm', ['ci', '--no-workspaces'], { cwd: here, stdio: 'inherit' })
  if (status !== 0) throw new Error('npm ci in bench/ failed')
}

export function temporaryDirectory() {
  const directory = mkdtempSync(join(tmpdir(), 'entidb-bench-'))
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

/** Runs a benchmark script to its end and returns its figures. `flags` are for Node. */
export async function runScript(script, args, flags = []) {
  const child = spawn(process.execPath, [...flags, join(here, script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { output, end } = await outputOf(child)
  if (end !== 0) throw new Error(`${script} ended with ${end}:\n${output}`)
  return reportedIn(output)
}

/** Starts a server script and waits for its line `ready URL`. */
export async function startScript(script, args) {
  const child = spawn(process.execPath, [join(here, script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      const match = /ready (\S+)/.exec(String(chunk))
      if (match !== null) resolve(match[1])
    })
    child.once('exit', (code) =>
      reject(new Error(`${script} ended with ${code} before it was ready`)),
    )
  })
  // A run that a wrong result ends leaves none behind.
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  const stop = () =>
    new Promise((resolve) => {
      process.off('exit', end)
      child.once('exit', resolve)
      child.kill('SIGTERM')
    })
  return { url, stop }
}

/** `end`: the exit code, or the signal that ended it. */
function outputOf(child) {
  return new Promise((resolve) => {
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.once('close', (code, signal) => resolve({ output, end: code ?? signal }))
  })
}
