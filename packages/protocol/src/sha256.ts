/**
 * SHA-256 (FIPS 180-4), synchronous and the same everywhere: what is hashed here are entities of some
 * hundred bytes by the thousand, for which WebCrypto's promises cost more than the hashing.
 *
 * Every index is the standard's and within bounds: hence `as number`, where a function call would cost a third.
 */

/** Bytes of a SHA-256 value. */
export const SHA256_BYTES = 32

const BLOCK_BYTES = 64
/** The last block ends with the length of the message, in bits. */
const LENGTH_BYTES = 8

const ROUND_CONSTANTS = Int32Array.from(fractionsOfRoots(64, 1 / 3))
const INITIAL_STATE = Int32Array.from(fractionsOfRoots(8, 1 / 2))

const schedule = new Int32Array(64)
const state = new Int32Array(8)
/** The end of a message, padded: one block or two. */
const tail = new Uint8Array(2 * BLOCK_BYTES)

/** The SHA-256 of `bytes`, 32 bytes in an array of their own. */
export function sha256(bytes: Uint8Array): Uint8Array {
  state.set(INITIAL_STATE)
  const wholeBytes = bytes.length - (bytes.length % BLOCK_BYTES)
  for (let at = 0; at < wholeBytes; at += BLOCK_BYTES) addBlock(bytes, at)
  const tailBytes = padTail(bytes, wholeBytes)
  for (let at = 0; at < tailBytes; at += BLOCK_BYTES) addBlock(tail, at)
  const result = new Uint8Array(SHA256_BYTES)
  for (let i = 0, at = 0; at < SHA256_BYTES; i++, at += 4) {
    const value = state[i] as number
    result[at] = value >>> 24
    result[at + 1] = value >>> 16
    result[at + 2] = value >>> 8
    result[at + 3] = value
  }
  return result
}

function padTail(bytes: Uint8Array, from: number): number {
  const rest = bytes.length - from
  const size = rest + 1 + LENGTH_BYTES <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES
  tail.fill(0)
  tail.set(bytes.subarray(from))
  tail[rest] = 0x80
  let bits = bytes.length * 8
  for (let at = size - 1; bits > 0; at--) {
    tail[at] = bits % 256
    bits = Math.floor(bits / 256)
  }
  return size
}

function addBlock(bytes: Uint8Array, start: number): void {
  // Of this function, where they are looked up once and not 64 times.
  const words = schedule
  const constants = ROUND_CONSTANTS
  expand(words, bytes, start)
  let a = state[0] as number
  let b = state[1] as number
  let c = state[2] as number
  let d = state[3] as number
  let e = state[4] as number
  let f = state[5] as number
  let g = state[6] as number
  let h = state[7] as number
  for (let i = 0; i < 64; i++) {
    const sumE = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const choice = g ^ (e & (f ^ g))
    const input = ((constants[i] as number) + (words[i] as number)) | 0
    // Each sum is brought back to 32 bits: longer ones would be computed as floating point numbers.
    const t = (((((h + sumE) | 0) + choice) | 0) + input) | 0
    const sumA = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const majority = (a & b) | (c & (a | b))
    h = g
    g = f
    f = e
    e = (d + t) | 0
    d = c
    c = b
    b = a
    a = (t + ((sumA + majority) | 0)) | 0
  }
  state[0] = (state[0] as number) + a
  state[1] = (state[1] as number) + b
  state[2] = (state[2] as number) + c
  state[3] = (state[3] as number) + d
  state[4] = (state[4] as number) + e
  state[5] = (state[5] as number) + f
  state[6] = (state[6] as number) + g
  state[7] = (state[7] as number) + h
}

/** The sixteen words of a block, and the 48 that follow from them. */
function expand(words: Int32Array, bytes: Uint8Array, start: number): void {
  for (let i = 0, at = start; i < 16; i++, at += 4) {
    words[i] =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)
  }
  for (let i = 16; i < 64; i++) {
    const x = words[i - 15] as number
    const y = words[i - 2] as number
    const x0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const y1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    words[i] = ((((words[i - 16] as number) + x0) | 0) + (((words[i - 7] as number) + y1) | 0)) | 0
  }
}

/** The first 32 bits of the fractional parts of the roots of the first `count` primes. */
function fractionsOfRoots(count: number, exponent: number): readonly number[] {
  const words: number[] = []
  for (let n = 2; words.length < count; n++) {
    if (isPrime(n)) {
      const root = n ** exponent
      words.push(Math.floor((root - Math.floor(root)) * 2 ** 32) | 0)
    }
  }
  return words
}

function isPrime(n: number): boolean {
  for (let i = 2; i * i <= n; i++) if (n % i === 0) return false
  return true
}
