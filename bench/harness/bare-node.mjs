// A Node process that does nothing: what the memory of the engines is counted over.
globalThis.gc()
console.log(`figures ${JSON.stringify({ residentBytes: process.memoryUsage().rss })}`)
