/** The definitions of an application's collections, from a module of its own. */
import { statSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { CollectionDefinitions } from '@entidb/core'
import { UsageError } from '../cli/usage-error.ts'

/**
 * What the ES module at `path` exports as `collections`, or as its default. The module runs. @throws UsageError;
 * whatever the module throws.
 */
export async function loadDefinitions(path: string): Promise<CollectionDefinitions> {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new UsageError(`there is no module ${path}; --collections names one`)
  }
  const module: unknown = await import(pathToFileURL(path).href)
  const collections = exportOf(module, 'collections') ?? exportOf(module, 'default')
  if (typeof collections !== 'object' || collections === null || Array.isArray(collections)) {
    throw new UsageError(`${path} exports no collections: export const collections = { ... }`)
  }
  // Whether they are definitions is checked where they are used.
  return collections as CollectionDefinitions
}

function exportOf(module: unknown, name: string): unknown {
  return typeof module === 'object' && module !== null
    ? new Map<string, unknown>(Object.entries(module)).get(name)
    : undefined
}
