// What an application pays for the engine in its page: the bundle of page-bundle.mjs, each file compressed by gzip.
// Exit code 1: above a bound, or a part that is not described. 2: it cannot be bundled, because something of Node
// got in.
// There is no browser entry yet: this measures the root entry, with memory storage.
import { relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { measureParts } from './bundle-parts.mjs'
import { bundleForPages, sources } from './page-bundle.mjs'

const BOUNDS = [
  { measure: 'entryBytes', title: 'to call EntiDB.open', bytesMost: 30_000 },
  // No goals, but they must not grow unnoticed.
  { measure: 'openBytes', title: 'with a database open', bytesMost: 80_500 },
  { measure: 'totalBytes', title: 'all of it', bytesMost: 96_000 },
]

/** What each `import()` is for: docs/decisions/0009-what-loads-when.md. */
const PURPOSES = {
  'index.js': 'what a page loads at once',
  'entities/prepare-database.js': 'EntiDB.open',
  'store/tree-store.js': 'EntiDB.open, of memoryStorage and treeStorage',
  'entities/maintenance.js': 'db.verify, db.backup, restoreBackup, salvage, planMigrations',
  'store/maintenance.js': 'those, db.compact, and opening for reading only',
}

const { outputFiles, metafile } = await bundle()
const gzipBytes = new Map(
  outputFiles.map(({ path, contents }) => [
    relative('.', path).replaceAll('\\', '/'),
    gzipSync(contents, { level: 9 }).length,
  ]),
)
const measured = measureParts(metafile, (file) => gzipBytes.get(file), {
  entry: `${sources}/index.js`,
  opening: [`${sources}/entities/prepare-database.js`, `${sources}/store/tree-store.js`],
})

console.log('@entidb/core in a page, minified, in gzip')
for (const part of measured.first) print(part)
console.log('loaded when they are called, in addition (what two share is counted for both):')
for (const part of measured.later) print(part)
console.log('sums:')
for (const { measure, title, bytesMost } of BOUNDS) {
  const bytes = measured[measure]
  const isKept = bytes <= bytesMost
  if (!isKept) process.exitCode = 1
  const verdict = isKept ? 'of at most' : 'MORE THAN'
  console.log(`${kilobytes(bytes)}  ${title}, ${verdict} ${kilobytes(bytesMost).trim()}`)
}

function print({ source, bytes, files }) {
  const name = source.slice(sources.length + 1)
  const purpose = PURPOSES[name] ?? 'NOT DESCRIBED in check-bundle.mjs: what is this import() for?'
  if (PURPOSES[name] === undefined) process.exitCode = 1
  console.log(
    `${kilobytes(bytes)}  ${name}, ${files} ${files === 1 ? 'file' : 'files'}: ${purpose}`,
  )
}

async function bundle() {
  try {
    return await bundleForPages({ outdir: 'bundle', write: false })
  } catch {
    // It has said why.
    return process.exit(2)
  }
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`.padStart(9)
}
