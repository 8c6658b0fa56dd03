// What an application pays for the engine in its page: `@entidb/core` with everything that it exports, bundled and
// minified for a browser and split at every `import()`, each file compressed by gzip. Exit code 1: above a bound.
// 2: it cannot be bundled, because something of Node got in.
// There is no browser entry yet: this measures the root entry, with memory storage.
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { measureParts } from './bundle-parts.mjs'

const BOUNDS = {
  /** Before a page can call `EntiDB.open`. */
  entryBytes: 30_000,
  /** With a database open. Not a goal, but it must not grow unnoticed; nor must the next one. */
  openBytes: 77_000,
  totalBytes: 93_000,
}

/** When which `import()` is done: docs/decisions/0009-what-loads-when.md. */
const WHEN = {
  'index.js': 'with the page',
  'entities/prepare-database.js': 'EntiDB.open',
  'store/tree-store.js': 'EntiDB.open, of memoryStorage and treeStorage',
  'store/maintenance.js':
    'what reads or writes the files as a whole: verify, backup, restore, compact, salvage, reading only',
  'entities/maintenance.js': 'db.verify, db.backup, restoreBackup, salvage, planMigrations',
}

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = 'packages/core/dist'
const outputs = await bundle()
const gzipBytes = new Map(
  outputs.outputFiles.map(({ path, contents }) => [
    relative(root, path).replaceAll('\\', '/'),
    gzipSync(contents, { level: 9 }).length,
  ]),
)
const measured = measureParts(outputs.metafile, (file) => gzipBytes.get(file), {
  entry: `${dist}/index.js`,
  opening: [`${dist}/entities/prepare-database.js`, `${dist}/store/tree-store.js`],
})

console.log('@entidb/core in a page: minified, split, gzip')
print(measured.first)
console.log('  later, beyond these; what two of them share is counted for both:')
print(measured.later)
const titles = {
  entryBytes: 'to call EntiDB.open',
  openBytes: 'with a database open',
  totalBytes: `all ${gzipBytes.size} files`,
}
for (const [bound, most] of Object.entries(BOUNDS)) {
  const bytes = measured[bound]
  const isKept = bytes <= most
  console.log(
    `${isKept ? '  ' : '! '}${kilobytes(bytes)}  ${titles[bound]}, of at most ${kilobytes(most).trim()}`,
  )
  if (!isKept) process.exitCode = 1
}

function print(parts) {
  for (const { source, bytes, files } of parts) {
    const name = relative(dist, source).replaceAll('\\', '/')
    const when = WHEN[name]
    if (when === undefined) {
      console.error(
        `${name} is loaded by an import() that check-bundle.mjs does not know: say when`,
      )
      process.exitCode = 1
    }
    console.log(`  ${kilobytes(bytes)}  ${name} (${files} files): ${when}`)
  }
}

async function bundle() {
  try {
    return await build({
      absWorkingDir: root,
      entryPoints: [`${dist}/index.js`],
      bundle: true,
      splitting: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      outdir: 'bundle',
      write: false,
      metafile: true,
      logLevel: 'error',
    })
  } catch {
    // It has said why.
    return process.exit(2)
  }
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`.padStart(8)
}
