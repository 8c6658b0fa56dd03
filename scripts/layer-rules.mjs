// The rules of layers.mjs applied to files given as text: pure, so that a test can show what fails.
import { posix } from 'node:path'
import {
  computedImports,
  dependencies,
  folders,
  hostReaders,
  packageNames,
  packages,
  portable,
} from './layers.mjs'

const importPattern =
  /(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\s*\(\s*(?:\/\*.*?\*\/\s*)*['"]([^'"]+)['"]/g

/** Module names that a source text imports, types and those of `import()` included. */
export function importsOf(text) {
  return [...text.matchAll(importPattern)].map((match) => match[1] ?? match[2] ?? match[3])
}

/**
 * Problems of one product file, as sentences. `file` is relative to the repository, with slashes:
 * `packages/core/src/store/tree.ts`.
 */
export function layerProblems(file, text) {
  const [, owner, ...rest] = file.split('/')
  const inPackage = rest.join('/')
  return [
    ...importsOf(text).map((name) => problemOf(owner, inPackage, name)),
    computedProblem(owner, inPackage, text),
    hostProblem(owner, inPackage, text),
  ]
    .filter((problem) => problem !== undefined)
    .map((problem) => `${file}: ${problem}`)
}

/** Nobody can tell what it imports: neither these rules nor a bundler. */
const computedPattern = /\bimport\s*\(\s*(?:\/\*.*?\*\/\s*)*(?![\s'")/])/

function computedProblem(owner, inPackage, text) {
  if (!computedPattern.test(text) || computedImports[owner]?.includes(inPackage)) return undefined
  return 'imports a module whose name is not written out in the import()'
}

const hostPattern = /\b(Date\.now|performance\.now|Math\.random)\s*\(/

function hostProblem(owner, inPackage, text) {
  const readers = hostReaders[owner]
  const match = hostPattern.exec(text)
  if (readers === undefined || match === null || readers.includes(inPackage)) return undefined
  return `calls ${match[1]}, which is to come in as a parameter`
}

function problemOf(owner, inPackage, name) {
  if (name.startsWith('.')) return relativeProblem(owner, inPackage, name)
  if (name.startsWith('node:')) return nodeProblem(owner, inPackage, name)
  const scope = name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : name.split('/')[0]
  const target = packageNames[scope]
  if (target === undefined) {
    return (dependencies[owner] ?? []).includes(scope)
      ? undefined
      : `imports the foreign package ${scope}`
  }
  return packages[owner].includes(target)
    ? undefined
    : `${owner} must not import ${target} (${name})`
}

function nodeProblem(owner, inPackage, name) {
  const allowed = portable[owner]
  if (allowed === undefined || allowed.some((pattern) => pattern.test(inPackage))) return undefined
  return `imports ${name}, but ${owner} runs everywhere`
}

function relativeProblem(owner, inPackage, name) {
  const path = posix.normalize(posix.join(posix.dirname(inPackage), name))
  if (!path.startsWith('src/')) return `reaches outside its package (${name})`
  const rules = folders[owner]
  if (rules === undefined) return undefined
  const from = folderOf(inPackage)
  const to = folderOf(path)
  if (from === to) return undefined
  const allowed = rules[from]
  if (allowed === undefined) return `lies in the folder ${from}, which layers.mjs does not know`
  return allowed.includes(to) ? undefined : `${from} must not import ${to} (${name})`
}

function folderOf(path) {
  const parts = path.split('/')
  return parts.length > 2 ? parts[1] : '.'
}
