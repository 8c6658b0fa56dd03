/**
 * Which of the objects that an entity can hold a value is, decided without running code of its own:
 * by prototype and internal slot, never by `instanceof`, `constructor` or `toString`. Objects of another
 * realm (an iframe, a vm context) count like those of this one.
 */

export type ObjectKind = 'map' | 'array' | 'bytes' | 'date' | 'typed_array' | 'class_instance'

const { getPrototypeOf } = Object
const objectPrototype = Object.prototype
const arrayPrototype = Array.prototype
const typedArrayPrototype: object = getPrototypeOf(Uint8Array.prototype)
const typedArrayName = getterOf(typedArrayPrototype, Symbol.toStringTag)
const typedArrayBuffer = getterOf(typedArrayPrototype, 'buffer')
const typedArrayOffset = getterOf(typedArrayPrototype, 'byteOffset')
const typedArrayLength = getterOf(typedArrayPrototype, 'length')
const dateTime = Date.prototype.getTime

export function kindOf(value: object): ObjectKind {
  const prototype: object | null = getPrototypeOf(value)
  if (prototype === objectPrototype || prototype === null) return 'map'
  if (prototype === arrayPrototype) return Array.isArray(value) ? 'array' : 'class_instance'
  return uncommonKindOf(value, prototype)
}

function uncommonKindOf(value: object, prototype: object): ObjectKind {
  if (ArrayBuffer.isView(value)) {
    return typedArrayName.call(value) === 'Uint8Array' ? 'bytes' : 'typed_array'
  }
  try {
    const depth = chainLengthOf(prototype)
    // Array.prototype of any realm is itself an array; that of a subclass is not.
    if (depth === 2 && Array.isArray(value) && Array.isArray(prototype)) return 'array'
    if (depth === 2 && timeOf(value) !== undefined) return 'date'
    if (depth === 1 && Object.hasOwn(prototype, 'isPrototypeOf')) return 'map'
  } catch {
    // A proxy among the prototypes: at any rate not a plain value.
  }
  return 'class_instance'
}

/** Milliseconds of a Date, NaN for an invalid one, undefined for anything else. */
export function timeOf(value: object): number | undefined {
  try {
    return dateTime.call(value as Date)
  } catch {
    return undefined
  }
}

/** The bytes of a Uint8Array or a subclass of it as a plain Uint8Array; undefined if detached. */
export function plainBytesOf(value: object): Uint8Array | undefined {
  // Each getter returns what the standard says, or this is no Uint8Array and `kindOf` was not asked.
  const buffer = typedArrayBuffer.call(value) as ArrayBuffer
  const length = typedArrayLength.call(value) as number
  try {
    return new Uint8Array(buffer, typedArrayOffset.call(value) as number, length)
  } catch {
    return undefined
  }
}

/** Prototypes from `prototype` on; 3 stands for any more, since a proxy could feign an endless chain. */
function chainLengthOf(prototype: object): number {
  let length = 1
  let next: object | null = getPrototypeOf(prototype)
  while (next !== null && length < 3) {
    length++
    next = getPrototypeOf(next)
  }
  return length
}

function getterOf(owner: object, name: string | symbol): () => unknown {
  const getter = Object.getOwnPropertyDescriptor(owner, name)?.get
  if (getter === undefined) throw new TypeError(`This platform lacks ${String(name)}`)
  return getter
}
