// What an application pays for the engine in its page: `@entidb/core` bundled and minified for a browser, with
// everything that it exports, compressed by gzip. Exit code 1: above the bound. 2: it cannot be bundled, because
// something of Node got in.
// There is no browser entry yet: this measures the root entry, with memory storage.
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const GZIP_BYTES_MOST = 30_000
const entry = fileURLToPath(new URL('../packages/core/dist/index.js', import.meta.url))

const [{ contents }] = await bundle()
const gzipBytes = gzipSync(contents, { level: 9 }).length
console.log(
  `@entidb/core in a browser: ${kilobytes(contents.length)} minified, ${kilobytes(gzipBytes)} in gzip, of at most ${kilobytes(GZIP_BYTES_MOST)}`,
)
if (gzipBytes > GZIP_BYTES_MOST) process.exit(1)

async function bundle() {
  try {
    const { outputFiles } = await build({
      entryPoints: [entry],
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      write: false,
      logLevel: 'error',
    })
    return outputFiles
  } catch {
    // It has said why.
    return process.exit(2)
  }
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`
}
