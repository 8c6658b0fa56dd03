/** Consistent copies of a database in use, and making a database of one. */
import type { KeyValueStore, Storage } from '../store/key-value-store.ts'
import { orAborted } from './aborted.ts'
import type { BackupOptions, BackupReport, ByteSink, ByteStream, RestoreOptions } from './backup.ts'

export async function runBackup(
  store: KeyValueStore,
  target: Storage | ByteSink,
  options: BackupOptions,
): Promise<BackupReport> {
  const pieces = piecesOf(store, options)
  if ('getWriter' in target) return { bytes: await pour(pieces, target, options.signal) }
  if (target.restore === undefined) {
    throw new TypeError(`${target.description} takes no backups: write it to a stream`)
  }
  let bytes = 0
  await target.restore(pieces, ({ doneBytes }) => {
    bytes = doneBytes
  })
  return { bytes }
}

async function* piecesOf(
  { maintenance }: KeyValueStore,
  { onProgress = () => {}, signal }: BackupOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (maintenance === undefined) {
    throw new TypeError('This store has no backups: use those of the server that keeps it')
  }
  signal?.throwIfAborted()
  const pieces = maintenance.backup(({ done, total }) => {
    onProgress({ doneBytes: done, totalBytes: total })
  })
  for await (const piece of pieces) {
    yield piece
    signal?.throwIfAborted()
  }
}

async function pour(
  pieces: AsyncGenerator<Uint8Array, void, undefined>,
  sink: ByteSink,
  signal: AbortSignal | undefined,
): Promise<number> {
  const writer = sink.getWriter()
  let bytes = 0
  try {
    for await (const piece of pieces) {
      // Counted first: a stream may take the buffer away.
      bytes += piece.length
      // Waits as long as the sink is busy, but not beyond the signal.
      await orAborted(writer.write(piece), signal)
    }
    await orAborted(writer.close(), signal)
    return bytes
  } catch (error) {
    // Not waited for: a sink that is stuck must not hold the caller. Its failure is known already.
    writer.abort(error).catch(() => {})
    throw error
  } finally {
    writer.releaseLock?.()
  }
}

export async function runRestore(
  source: AsyncIterable<Uint8Array> | ByteStream,
  storage: Storage,
  { onProgress = () => {}, signal }: RestoreOptions,
): Promise<BackupReport> {
  if (storage.restore === undefined) {
    throw new TypeError(`${storage.description} takes no backups`)
  }
  let bytes = 0
  await storage.restore(checked(source, signal), (progress) => {
    bytes = progress.doneBytes
    onProgress(progress)
  })
  return { bytes }
}

async function* checked(
  source: AsyncIterable<Uint8Array> | ByteStream,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted()
  const pieces = Symbol.asyncIterator in source ? iterable(source, signal) : read(source, signal)
  for await (const piece of pieces) {
    if (!(piece instanceof Uint8Array)) throw new TypeError('a backup is read as Uint8Arrays')
    yield piece
  }
}

async function* iterable(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = source[Symbol.asyncIterator]()
  let isAtEnd = false
  try {
    for (;;) {
      const { done, value } = await orAborted(pieces.next(), signal)
      isAtEnd = done === true
      if (isAtEnd) return
      yield value
    }
  } finally {
    // Not waited for: a source that is stuck must not hold the caller.
    if (!isAtEnd) pieces.return?.().catch(() => {})
  }
}

/** Not every host can iterate over its streams. */
async function* read(
  source: ByteStream,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = source.getReader()
  let isAtEnd = false
  try {
    for (;;) {
      const { done, value } = await orAborted(reader.read(), signal)
      isAtEnd = done
      if (isAtEnd) return
      if (value !== undefined) yield value
    }
  } finally {
    if (!isAtEnd) reader.cancel().catch(() => {})
  }
}
