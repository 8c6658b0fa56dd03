/**
 * Turns a value into the deterministic CBOR of `docs/encoding.md`: equal values give equal bytes
 * everywhere. Every property is read once, through its descriptor, so that no getter runs; what has no
 * exact encoding is refused with its path.
 */
import { isEntiDBError } from '../errors/entidb-error.ts'
import { bigIntBytesOf } from './big-integer.ts'
import { CborWriter } from './cbor-writer.ts'
import {
  BIGINT_BYTES_MAX,
  DEPTH_MAX,
  ENTITY_BYTES_MAX,
  type EntityLimits,
} from './entity-limits.ts'
import { type InvalidEntityReason, invalidEntity } from './invalid-entity.ts'
import { ObjectShapeCache } from './object-shape.ts'
import { findProxyByCloning, hostProxyTest, type ProxyTest } from './proxy-detection.ts'
import { kindOf, plainBytesOf, timeOf } from './value-kinds.ts'

const { getOwnPropertyDescriptor, getOwnPropertyNames, getOwnPropertySymbols } = Object
// The standard library does not type it; ECMAScript has it since 2017.
const lookupGetter = Reflect.get(Object.prototype, '__lookupGetter__') as (key: number) => unknown

/** Keeps caches between calls. Not reentrant: `encodeEntity` sees to that. */
export class EntityEncoder {
  private readonly writer = new CborWriter()
  private readonly shapes = new ObjectShapeCache()
  private readonly isProxy: ProxyTest | undefined
  private bytesMax = ENTITY_BYTES_MAX
  /**
   * The containers around the value being written, `depth` of them, and the step inside each: together
   * the steps lead to that value.
   */
  private depth = 0
  private readonly containers: (object | undefined)[] = []
  private readonly path: (string | number)[] = []

  /** Without a test of the host, proxies are found by cloning. */
  constructor(isProxy: ProxyTest | undefined) {
    this.isProxy = isProxy
  }

  encode(value: unknown, limits: EntityLimits): Uint8Array {
    this.bytesMax = limits.maxEntityBytes ?? ENTITY_BYTES_MAX
    try {
      this.writeValue(value)
      this.assertFits()
      this.refuseHiddenProxy(value)
      return this.writer.take()
    } catch (error) {
      this.writer.reset()
      // Before the test for proxies, one that was revoked or whose trap throws has failed already.
      if (!isEntiDBError(error)) this.refuseHiddenProxy(value, error)
      throw error
    } finally {
      // Only after a failure are there containers left to forget.
      while (this.depth > 0) this.leave()
    }
  }

  private writeValue(value: unknown): void {
    if (typeof value === 'string') this.writeText(value)
    else if (typeof value === 'number') this.writeNumber(value)
    else if (typeof value === 'boolean') this.writer.writeBoolean(value)
    else if (typeof value === 'bigint') this.writeBigInt(value)
    else if (value === null) this.writer.writeNull()
    else if (typeof value === 'object') this.writeObject(value)
    // Of the eight types these are left.
    else throw this.refusal(typeof value as 'undefined' | 'function' | 'symbol')
  }

  private writeText(value: string): void {
    // Every unit is a byte at least: no need to encode a huge text to know that it is too large.
    if (value.length > this.bytesMax) throw invalidEntity([], 'too_large')
    if (!this.writer.tryWriteText(value)) throw this.refusal('lone_surrogate')
  }

  private writeNumber(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.writer.writeInt(value)
    else this.writer.writeFloat(value)
  }

  /** Always a bignum, so that 1n comes back as 1n. */
  private writeBigInt(value: bigint): void {
    const magnitude = bigIntBytesOf(value < 0n ? -1n - value : value)
    if (magnitude.length > BIGINT_BYTES_MAX) throw this.refusal('bigint_too_large')
    this.writer.writeTag(value < 0n ? 3 : 2)
    this.writer.writeBytes(magnitude)
  }

  private writeObject(value: object): void {
    if (this.isProxy?.(value)) throw this.refusal('proxy')
    const kind = kindOf(value)
    if (kind === 'map') this.writeMap(value)
    // kindOf has asked Array.isArray.
    else if (kind === 'array') this.writeArray(value as readonly unknown[])
    else if (kind === 'bytes') this.writeBytes(value)
    else if (kind === 'date') this.writeDate(value)
    else throw this.refusal(kind)
  }

  private writeBytes(value: object): void {
    const bytes = plainBytesOf(value)
    if (bytes === undefined) throw this.refusal('detached')
    if (bytes.length > this.bytesMax) throw invalidEntity([], 'too_large')
    this.writer.writeBytes(bytes)
  }

  private writeDate(value: object): void {
    const time = timeOf(value)
    if (time === undefined || Number.isNaN(time)) throw this.refusal('invalid_date')
    if (Reflect.ownKeys(value).length > 0) throw this.refusal('extra_property')
    this.writer.writeTag(1)
    if (time % 1000 === 0) this.writer.writeInt(time / 1000)
    else this.writer.writeFloat64(time / 1000)
  }

  private writeArray(value: readonly unknown[]): void {
    this.enter(value)
    const { depth, path } = this
    const length = value.length
    this.writer.writeArrayHeader(length)
    for (let i = 0; i < length; i++) {
      path[depth - 1] = i
      // Much faster for an index than asking for its descriptor.
      if (lookupGetter.call(value, i) !== undefined) throw this.refusal('accessor')
      const item = value[i]
      if (item === undefined) throw this.refusal(reasonForNoItem(value, i))
      this.writeValue(item)
      this.assertFits()
    }
    this.leave()
    // All indexes are there. Names that are not enumerable, as `length` is, would cost too much to list.
    const names = Object.keys(value).length
    if (names !== length) throw this.refusal(names > length ? 'extra_property' : 'not_enumerable')
    if (getOwnPropertySymbols(value).length > 0) throw this.refusal('symbol_key')
  }

  private writeMap(value: object): void {
    // Two calls: `Reflect.ownKeys` takes three times as long as both.
    if (getOwnPropertySymbols(value).length > 0) throw this.refusal('symbol_key')
    const shape = this.shapes.shapeOf(getOwnPropertyNames(value))
    this.enter(value)
    if (typeof shape === 'string') throw this.refusalAt(shape, 'lone_surrogate')
    const { depth, path, writer } = this
    const { sortedNames, keyBytes, keyEnds } = shape
    const items: unknown[] = []
    writer.writeMapHeader(this.collectItems(value, sortedNames, items))
    let keyStart = 0
    for (let i = 0; i < items.length; i++) {
      const keyEnd = keyEnds[i] as number
      const item = items[i]
      if (item !== undefined) {
        path[depth - 1] = sortedNames[i] as string
        writer.writeRawRange(keyBytes, keyStart, keyEnd)
        this.writeValue(item)
        this.assertFits()
      }
      keyStart = keyEnd
    }
    this.leave()
  }

  /** Fills `items`, with undefined for what is dropped, and returns how many are not. */
  private collectItems(value: object, names: readonly string[], items: unknown[]): number {
    let dropped = 0
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string
      const descriptor = getOwnPropertyDescriptor(value, name)
      const item: unknown = descriptor?.value
      if (item === undefined) {
        if (isAccessor(descriptor)) throw this.refusalAt(name, 'accessor')
        dropped++
      }
      if (descriptor?.enumerable === false) throw this.refusalAt(name, 'not_enumerable')
      items.push(item)
    }
    return names.length - dropped
  }

  private enter(container: object): void {
    if (this.depth === DEPTH_MAX) throw this.refusalOfDepth(container)
    this.containers[this.depth++] = container
  }

  private leave(): void {
    this.containers[--this.depth] = undefined
  }

  private assertFits(): void {
    if (this.writer.length > this.bytesMax) throw invalidEntity([], 'too_large')
  }

  private refuseHiddenProxy(value: unknown, cause?: unknown): void {
    if (this.isProxy !== undefined || typeof value !== 'object' || value === null) return
    const path = findProxyByCloning(value)
    if (path !== undefined) throw invalidEntity(path, 'proxy', cause)
  }

  /** Refuses the value that is being written. */
  private refusal(reason: InvalidEntityReason): Error {
    return invalidEntity(this.path.slice(0, this.depth), reason)
  }

  private refusalAt(name: string, reason: InvalidEntityReason): Error {
    this.path[this.depth - 1] = name
    return this.refusal(reason)
  }

  /** A value that contains itself is found by being too deep: no need to look for it before. */
  private refusalOfDepth(container: object): Error {
    const { containers, path } = this
    for (let i = 1; i < DEPTH_MAX; i++) {
      if (containers.indexOf(containers[i]) < i) return invalidEntity(path.slice(0, i), 'cycle')
    }
    return this.refusal(containers.includes(container) ? 'cycle' : 'too_deep')
  }
}

function isAccessor(descriptor: PropertyDescriptor | undefined): boolean {
  return descriptor !== undefined && !('value' in descriptor)
}

function reasonForNoItem(array: readonly unknown[], index: number): InvalidEntityReason {
  const descriptor = getOwnPropertyDescriptor(array, index)
  if (descriptor === undefined) return 'hole'
  return isAccessor(descriptor) ? 'accessor' : 'undefined'
}

const isProxyOfHost = hostProxyTest()
let idle: EntityEncoder | undefined

/**
 * The deterministic CBOR of `value`, which may be anything that can stand in an entity. Taken at once:
 * later changes to `value` have no effect.
 *
 * @throws EntiDBError `invalid_entity`, with `details: { path, reason }`, for what cannot be stored
 * (`reason: 'too_large'` past `limits.maxEntityBytes`).
 *
 * @example
 * encodeEntity({ id: 'p1', age: 36 }) // a2 62 6964 62 7031 63 616765 18 24
 */
export function encodeEntity(value: unknown, limits: EntityLimits = {}): Uint8Array {
  // A trap of a proxy may call this function again while an encoder is busy.
  const encoder = idle ?? new EntityEncoder(isProxyOfHost)
  idle = undefined
  try {
    return encoder.encode(value, limits)
  } finally {
    idle = encoder
  }
}
