// What the disk allows: the same bytes written and flushed, with nothing else. Not an engine: it neither
// reads nor keeps anything in order. Its bytes, and its space, are made before the time is taken.
import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs'

const CHUNK_BYTES = 1024 * 1024

/** `overwrite`: into space that was allocated and flushed before; else at the end of a growing file. */
export async function open(directory, { overwrite = false }) {
  const fd = openSync(`${directory}/limit`, 'w+')
  let end = 0
  function writeAndFlush(bytes) {
    end += writeSync(fd, bytes, 0, bytes.length, end)
    fdatasyncSync(fd)
  }
  return {
    prepare(entities) {
      const records = entities.map((entity) => Buffer.from(JSON.stringify(entity)))
      const bytes = records.reduce((sum, record) => sum + record.length, 0)
      if (overwrite) allocate(fd, end, end + bytes)
      return records
    },
    async load(records) {
      writeAndFlush(Buffer.concat(records))
    },
    async putEach(records) {
      for (const record of records) writeAndFlush(record)
    },
    /** All that wait go into one write and one flush. */
    async putConcurrently(records, committers) {
      for (let from = 0; from < records.length; from += committers) {
        writeAndFlush(Buffer.concat(records.slice(from, from + committers)))
      }
    },
    async close() {
      closeSync(fd)
    },
  }
}

function allocate(fd, from, to) {
  const zeros = Buffer.alloc(CHUNK_BYTES)
  for (let offset = from; offset < to; offset += CHUNK_BYTES) {
    writeSync(fd, zeros, 0, CHUNK_BYTES, offset)
  }
  fsyncSync(fd)
}
