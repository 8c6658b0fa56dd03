// What of a bundle that is split at every `import()` has to be loaded, and when: pure, from esbuild's metafile, so
// that a test can show what counts.

/**
 * Files of the bundle, by name, that `names` load at once: themselves and all that they import statically.
 */
export function filesLoadedWith(names, outputs) {
  const loaded = new Set(names)
  for (const name of loaded) {
    const { imports } = outputs[name]
    for (const { path, kind } of imports) if (kind === 'import-statement') loaded.add(path)
  }
  return loaded
}

/**
 * `entry` is a source file, as are those of `opening`: what is loaded once the entry is used, in this order. Each of
 * the answer's parts has the bytes that it adds to those before it; each of `later` those that it adds to all of them.
 */
export function measureParts({ outputs }, sizeOf, { entry, opening }) {
  const fileOf = (source) => {
    const found = Object.keys(outputs).find((name) => outputs[name].entryPoint === source)
    if (found === undefined) throw new Error(`no file of the bundle begins with ${source}`)
    return found
  }
  const bytesOf = (files) => [...files].reduce((sum, file) => sum + sizeOf(file), 0)
  const loaded = new Set()
  const addedBy = (source) => {
    const files = filesLoadedWith([fileOf(source)], outputs)
    return [...files].filter((file) => !loaded.has(file))
  }
  const first = [entry, ...opening].map((source) => {
    const files = addedBy(source)
    for (const file of files) loaded.add(file)
    return { source, files: files.length, bytes: bytesOf(files) }
  })
  const later = Object.values(outputs)
    .map(({ entryPoint }) => entryPoint)
    .filter((source) => source !== undefined && source !== entry && !opening.includes(source))
    .map((source) => {
      const files = addedBy(source)
      return { source, files: files.length, bytes: bytesOf(files) }
    })
    .sort((a, b) => b.bytes - a.bytes)
  const [{ bytes: entryBytes }] = first
  const openBytes = first.reduce((sum, { bytes }) => sum + bytes, 0)
  return { entryBytes, openBytes, totalBytes: bytesOf(Object.keys(outputs)), first, later }
}
