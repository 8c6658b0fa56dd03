/** The buffer of the entries of a node. */

/**
 * A buffer that several versions of a node may share, and how far any of them has written. Of a class: V8 learns from
 * the nodes that stay in memory to put such literals among the old objects at once, and those of nodes that a scan
 * only passes would keep their buffers there.
 */
export class Heap {
  readonly bytes: Uint8Array
  end: number

  constructor(bytes: Uint8Array, end: number) {
    this.bytes = bytes
    this.end = end
  }
}

/** Nothing was written yet. */
export function emptyHeap(bytes: number): Heap {
  return new Heap(new Uint8Array(bytes), 0)
}
