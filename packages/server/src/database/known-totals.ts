/** What all collections hold together, remembered until the head moves: only a push changes it, and moves the head. */
import { addDigests, emptyDigest } from '@entidb/protocol'
import type { MetaRow, ServerReader } from './collections.ts'

export interface Totals {
  readonly liveEntities: number
  readonly digest: Uint8Array
}

/** Of one open database. There may be any number of collections: whoever asks often must not read them all each time. */
export class KnownTotals {
  #known: { readonly head: number; readonly totals: Totals } | undefined

  /** Of the state that `reader` sees, whose head that of `meta` is. */
  async read(reader: ServerReader, { head }: MetaRow): Promise<Totals> {
    if (this.#known?.head === head) return this.#known.totals
    const totals = await readTotals(reader)
    this.#known = { head, totals }
    return totals
  }
}

async function readTotals(reader: ServerReader): Promise<Totals> {
  let liveEntities = 0
  let digest = emptyDigest()
  for (const row of await reader.collection('collection_state').find({})) {
    liveEntities += row.liveEntities
    digest = addDigests(digest, row.digest)
  }
  return { liveEntities, digest }
}
