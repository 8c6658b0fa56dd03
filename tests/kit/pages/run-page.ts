/** Runs the module of a page in a process and a folder of its own. */
import { type ChildProcess, fork } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import type { PageProblem } from './page.ts'
import type { PageModule } from './page-module.ts'

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url))

type Message = { readonly line: number; readonly message: string } | { readonly end: true }

/** A page that has not come to its end after `timeLimitMs` is ended, and that is a problem of it. */
export async function runPage(
  module: PageModule,
  { timeLimitMs = 240_000 }: { readonly timeLimitMs?: number } = {},
): Promise<readonly PageProblem[]> {
  const folder = mkdtempSync(join(tmpdir(), 'entidb-page-'))
  try {
    return await runIn(folder, module, timeLimitMs)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runIn(
  folder: string,
  module: PageModule,
  timeLimitMs: number,
): Promise<readonly PageProblem[]> {
  const { script, bin, work } = prepareFolder(folder, module)
  const problems: PageProblem[] = []
  const add = (line: number, message: string): void => {
    problems.push({ page: module.page, line, message })
  }
  const child = fork(script, {
    cwd: work,
    execArgv: ['--enable-source-maps'],
    // A server of the page takes any free port.
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`, PORT: '0' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // A group of its own, so that the commands of shell blocks end with it.
    detached: true,
  })
  let isAtEnd = false
  let isLate = false
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  child.on('message', (message: Message) => {
    if ('end' in message) isAtEnd = true
    else add(message.line, message.message)
  })
  const timer = setTimeout(() => {
    isLate = true
    killGroup(child)
  }, timeLimitMs)
  const code = await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  if (isLate) add(1, `the page was not at its end after ${timeLimitMs} ms`)
  else if (!isAtEnd) {
    const why = code === 13 ? 'it waits for something that never happens' : `exit code ${code}`
    add(1, `the page did not come to its end: ${why}. ${errors}`)
  }
  return problems
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended by itself just now.
  }
}

function prepareFolder(
  folder: string,
  { run }: PageModule,
): { readonly script: string; readonly bin: string; readonly work: string } {
  const path = (name: string): string => join(folder, name)
  for (const name of ['bin', 'work', 'module']) mkdirSync(path(name))
  symlinkSync(join(REPOSITORY, 'node_modules'), path('node_modules'), 'junction')
  const main = join(REPOSITORY, 'packages/cli/dist/main.js')
  writeFileSync(path('bin/entidb'), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`)
  chmodSync(path('bin/entidb'), 0o755)
  for (const name of ['story.mjs', 'run-story.mjs']) {
    copyFileSync(new URL(name, import.meta.url), path(`module/${name}`))
  }
  writeFileSync(path('module/page.mjs'), compile(run))
  return { script: path('module/run-story.mjs'), bin: path('bin'), work: path('work') }
}

function compile(text: string): string {
  return ts.transpileModule(text, {
    fileName: 'page.ts',
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      inlineSourceMap: true,
    },
  }).outputText
}
