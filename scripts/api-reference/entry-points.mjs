// What the packages export: one entry point for each `types` in the `exports` of a package.json.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sourceOf } from './docstring.mjs'

/** @returns {import('./api-reference.d.mts').EntryPoint[]} */
export function readEntryPoints(repository) {
  return readdirSync(join(repository, 'packages'))
    .filter((folder) => existsSync(join(repository, 'packages', folder, 'package.json')))
    .flatMap((folder) => entryPointsOf(join(repository, 'packages', folder)))
}

function entryPointsOf(folder) {
  const { name, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return Object.entries(exports).flatMap(([path, target]) => {
    if (typeof target.types !== 'string') return []
    const specifier = name + path.slice(1)
    return {
      specifier,
      page: `${specifier.replace(/^@entidb\//, '').replaceAll('/', '-')}.md`,
      types: join(folder, target.types),
      source: sourceOf(join(folder, target.types)),
    }
  })
}
