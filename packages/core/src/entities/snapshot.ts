/** A consistent view of the whole database, while writers go on. */
import type { Catalog } from './catalog.ts'
import type { CollectionDefinitions, EntityOf } from './collection-definition.ts'
import { CollectionReader, type ReadScope } from './collection-reader.ts'
import type { SnapshotSource } from './snapshot-source.ts'

/** Holds space until released. Reads after that are `transaction_closed`. */
export class Snapshot<D extends CollectionDefinitions = CollectionDefinitions>
  implements ReadScope<D>
{
  readonly #catalog: Catalog
  readonly #source: SnapshotSource

  constructor(catalog: Catalog, source: SnapshotSource) {
    this.#catalog = catalog
    this.#source = source
  }

  /** Error: `unknown_collection`. */
  collection<K extends keyof D & string>(name: K): CollectionReader<EntityOf<D[K]>> {
    return new CollectionReader(this.#catalog.find(name), this.#source)
  }

  release(): void {
    this.#source.release()
  }

  [Symbol.dispose](): void {
    this.release()
  }
}
