/** Writes what is salvaged into a new store, in transactions of bounded size. */
import type { KeyValueStore, WriteTransaction } from '../store/key-value-store.ts'
import { pause, systemScheduler } from '../store/scheduler.ts'

const TRANSACTION_BYTES_MAX = 4 * 1024 * 1024
/** What an entry costs besides its bytes, about. */
const ENTRY_BYTES = 32

export class SalvageWriter {
  readonly #store: KeyValueStore
  #tx: WriteTransaction | undefined
  #bytes = 0

  constructor(store: KeyValueStore) {
    this.#store = store
  }

  async put(table: string, key: Uint8Array, value: Uint8Array): Promise<void> {
    const tx = await this.#transaction(key.length + value.length)
    // Views of large buffers, which would stay as long as one of them: the store keeps what it is given.
    const done = tx.put(table, key.slice(), value.slice())
    if (done instanceof Promise) await done
  }

  async delete(table: string, key: Uint8Array): Promise<void> {
    const tx = await this.#transaction(key.length)
    await tx.delete(table, key.slice())
  }

  async clear(table: string): Promise<void> {
    const tx = await this.#transaction(0)
    await tx.clear(table)
  }

  /** Commits what was written. */
  async flush(): Promise<void> {
    const tx = this.#tx
    this.#tx = undefined
    this.#bytes = 0
    await tx?.commit()
    // A commit may be done at once, and others want to run.
    await pause(systemScheduler)
  }

  abandon(): void {
    this.#tx?.rollback()
    this.#tx = undefined
  }

  async #transaction(bytes: number): Promise<WriteTransaction> {
    if (this.#bytes >= TRANSACTION_BYTES_MAX) await this.flush()
    this.#bytes += bytes + ENTRY_BYTES
    this.#tx ??= await this.#store.begin()
    return this.#tx
  }
}
