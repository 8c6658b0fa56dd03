// A file of a fixed length that is written over again and again, each write flushed: as a log whose space was allocated.
import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from 'node:fs'

const BYTES = 4 * 1024 * 1024

export class FlushedFile {
  #fd
  #position = 0

  constructor(path) {
    this.#fd = openSync(path, 'w')
    writeSync(this.#fd, Buffer.alloc(BYTES))
    fsyncSync(this.#fd)
  }

  write(bytes) {
    if (this.#position + bytes.length > BYTES) this.#position = 0
    writeSync(this.#fd, bytes, 0, bytes.length, this.#position)
    this.#position += bytes.length
    fdatasyncSync(this.#fd)
  }

  close() {
    closeSync(this.#fd)
  }
}
