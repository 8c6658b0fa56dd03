/**
 * Remembers roughly which ids were asked for lately, in a fixed number of bytes: what is asked for once, as in
 * a scan, shall not push out of a full cache what is asked for again and again. After "TinyLFU: A Highly
 * Efficient Cache Admission Policy" (Einziger, Friedman, Manes, 2017), with times in place of counters.
 *
 * The later of two ids that share a place makes the earlier one forgotten.
 */
/** The more, the fewer share one. */
const SLOTS_PER_ID = 4
/** A slot is a time and, below it, eight bits of the id's hash that its place does not tell. */
const TAG_BITS = 8
const TAG_MASK = 2 ** TAG_BITS - 1
const TIMES = 2 ** (32 - TAG_BITS)
const HASHED_CHARACTERS_MAX = 32

export class Doorkeeper {
  /** 0: nothing of this place was asked for. */
  readonly #slots: Uint32Array
  readonly #window: number
  #now = 0

  /** Takes 16 to 32 bytes of memory for each id of `window`, which is less than 2^24. */
  constructor(window: number) {
    this.#window = window
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2((window + 1) * SLOTS_PER_ID)))
  }

  /** Was `id` among the last `window` that were asked for? */
  wasSeen(id: string): boolean {
    const hash = hashOf(id)
    // The size is a power of two.
    const place = hash & (this.#slots.length - 1)
    const tag = hash >>> (32 - TAG_BITS)
    const before = this.#slots[place] as number
    // Times begin anew after the last one; never with 0, so that no slot in use is 0.
    this.#now = (this.#now % (TIMES - 1)) + 1
    this.#slots[place] = this.#now * 2 ** TAG_BITS + tag
    const age = (this.#now - (before >>> TAG_BITS) + TIMES) % TIMES
    return before > 0 && (before & TAG_MASK) === tag && age <= this.#window
  }
}

/** FNV-1a over the last characters: ids that are made in order begin alike. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5
  for (let i = Math.max(0, id.length - HASHED_CHARACTERS_MAX); i < id.length; i++) {
    hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  }
  // Its low bits alone would know too little of the first characters.
  return (hash ^ (hash >>> 15)) >>> 0
}
