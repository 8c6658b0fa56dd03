// Copies of the built packages with a bug in them, outside of the checkout, and the simulator on top of them.
import { spawn } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { packages } from './mutants.mjs'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const hunt = fileURLToPath(new URL('hunt.mjs', import.meta.url))

export class MutatedPackages {
  #directory = mkdtempSync(join(tmpdir(), 'entidb-sim-mutants-'))
  #copies = 0

  /** The first seed that fails, and why; null when none of `seedsMax` does. */
  async firstFailure(edits, seedsMax) {
    const copy = join(this.#directory, String(this.#copies++))
    const modules = join(copy, 'node_modules')
    mkdirSync(join(modules, '@entidb'), { recursive: true })
    linkOthers(modules)
    for (const name of packages) {
      cpSync(join(repository, 'packages', name, 'dist'), join(modules, '@entidb', name, 'dist'), {
        recursive: true,
      })
      copyFileSync(
        join(repository, 'packages', name, 'package.json'),
        join(modules, '@entidb', name, 'package.json'),
      )
    }
    for (const [file, source] of mutated(edits)) {
      const target = join(
        modules,
        '@entidb',
        file.replace('/src/', '/dist/').replace(/\.ts$/, '.js'),
      )
      writeFileSync(target, source)
    }
    copyFileSync(hunt, join(copy, 'hunt.mjs'))
    try {
      return JSON.parse(await run(copy, seedsMax))
    } finally {
      rmSync(copy, { recursive: true, force: true })
    }
  }

  remove() {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

/** Everything that has no bug is the checkout's own. */
function linkOthers(modules) {
  const installed = join(repository, 'node_modules')
  for (const name of readdirSync(installed)) {
    if (name === '@entidb' || name.startsWith('.')) continue
    symlinkSync(join(installed, name), join(modules, name))
  }
}

/** The edited files as JavaScript. Throws when what an edit replaces is not in the sources, or more than once. */
export function mutated(edits) {
  const sources = new Map()
  for (const { file, find, replace } of edits) {
    const source = sources.get(file) ?? readFileSync(join(repository, 'packages', file), 'utf8')
    const occurrences = source.split(find).length - 1
    if (occurrences !== 1)
      throw new Error(`stale mutant: ${file} has '${find}' ${occurrences} times`)
    sources.set(
      file,
      source.replace(find, () => replace),
    )
  }
  return [...sources].map(([file, source]) => [file, toScript(source)])
}

function toScript(source) {
  return ts.transpileModule(source, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  }).outputText
}

function run(directory, seedsMax) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(directory, 'hunt.mjs'), String(seedsMax)], {
      cwd: dirname(directory),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let printed = ''
    let errors = ''
    child.stdout.on('data', (chunk) => {
      printed += chunk
    })
    child.stderr.on('data', (chunk) => {
      errors += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => {
      // A bug may end the process with an error that nobody handles: that is noticed too.
      if (code === 0) resolve(printed)
      else
        resolve(
          JSON.stringify({ seed: 0, message: errors.trim().split('\n').slice(0, 8).join(' ') }),
        )
    })
  })
}
