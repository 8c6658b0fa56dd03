/** Copies of the product's sources and of the checks, as JavaScript outside of the checkout. */
import { spawn } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import type { CheckName } from './checks.test-kit.ts'
import type { Mutant } from './mutants.test-kit.ts'
import type { Verdict } from './run-checks.test-kit.ts'

const SOURCES = fileURLToPath(new URL('../../..', import.meta.url))
/** What the store and its checks consist of. */
const FOLDERS = ['errors', 'files', 'store']
const CHECKS = 'store/proof/mutants/run-checks.test-kit.js'
/** Longer than all checks together take on a busy machine. */
const TIMEOUT_MS = 180_000

export class MutatedSources {
  readonly #directory = mkdtempSync(join(tmpdir(), 'entidb-mutants-'))
  readonly #original = join(this.#directory, 'original')
  #copies = 0

  constructor() {
    for (const folder of FOLDERS) {
      for (const entry of readdirSync(join(SOURCES, folder), { recursive: true })) {
        const path = join(folder, String(entry))
        if (!path.endsWith('.ts') || path.endsWith('.test.ts')) continue
        writeScript(this.#original, path, readFileSync(join(SOURCES, path), 'utf8'))
      }
    }
    writeFileSync(join(this.#original, 'package.json'), '{"type":"module"}')
  }

  /** Runs the check that has to notice the bug on the sources with it; without one, all on them as they are. */
  async verdictOn(mutant: Mutant | undefined): Promise<Verdict> {
    const copy = join(this.#directory, String(this.#copies++))
    cpSync(this.#original, copy, { recursive: true })
    if (mutant !== undefined) {
      const path = join('store', mutant.file)
      writeScript(copy, path, withBug(readFileSync(join(SOURCES, path), 'utf8'), mutant))
    }
    return runChecks(join(copy, CHECKS), mutant?.noticedBy)
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

function writeScript(root: string, path: string, source: string): void {
  const target = join(root, path.replace(/\.ts$/, '.js'))
  mkdirSync(dirname(target), { recursive: true })
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  })
  writeFileSync(target, outputText)
}

/** Throws when the text to replace is not there exactly once. */
export function withBug(source: string, { name, file, find, replace }: Mutant): string {
  const occurrences = source.split(find).length - 1
  if (occurrences !== 1) {
    throw new Error(
      `stale mutant: '${name}' is to change a text that ${file} has ${occurrences} times`,
    )
  }
  return source.replace(find, () => replace)
}

function runChecks(script: string, check: CheckName | undefined): Promise<Verdict> {
  const child = spawn(process.execPath, check === undefined ? [script] : [script, check], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (_code, signal) => {
      if (signal === 'SIGKILL')
        resolve({
          message: 'the checks never end',
          ...(check === undefined ? {} : { noticedBy: check }),
        })
      else if (output === '') reject(new Error(`no verdict: ${errors}`))
      // One line, written by run-checks.
      else resolve(JSON.parse(output) as Verdict)
    })
  })
}
