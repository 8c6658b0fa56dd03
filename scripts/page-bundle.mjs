// `@entidb/core`, with everything that it exports, as the bundler of an application makes it for a page: minified,
// and split at every `import()`. Needs what `npm run build` made.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Where the sources of the bundle are, as its metafile names them. */
export const sources = 'packages/core/dist'

/** `write: false`: the files are in the answer alone. Their paths are relative to the repository. */
export async function bundleForPages({ outdir, write }) {
  const { outputFiles = [], metafile } = await build({
    absWorkingDir: root,
    entryPoints: [`${sources}/index.js`],
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outdir,
    write,
    metafile: true,
    logLevel: 'error',
  })
  return { outputFiles, metafile }
}
