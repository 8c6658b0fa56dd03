import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { anyScalar, anyValueOf, entityFailureOf, failureOf } from './codec.test-kit.ts'
import { EntityEncoder, encodeEntity } from './entity-encoder.ts'
import { hostProxyTest } from './proxy-detection.ts'

class Point {
  x = 1
}
class SpecialDate extends Date {}
class SpecialArray extends Array {}

function nested(depth: number, wrap: (value: unknown) => unknown): unknown {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = wrap(value)
  return value
}

function detachedBytes(): Uint8Array {
  const bytes = new Uint8Array(8)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

function cycle(): object {
  const inner: Record<string, unknown> = {}
  inner.back = [inner]
  return { top: { inner } }
}

const refused: readonly (readonly [string, () => unknown, string, string])[] = [
  ['undefined alone', () => undefined, '', 'undefined'],
  ['a lone high surrogate', () => ({ a: '\ud800' }), 'a', 'lone_surrogate'],
  ['a lone low surrogate', () => ({ a: ['x', 'b\udc00c'] }), 'a[1]', 'lone_surrogate'],
  ['surrogates in the wrong order', () => ({ a: '\udc00\ud800' }), 'a', 'lone_surrogate'],
  [
    'a lone surrogate in long text',
    () => ({ a: `${'x'.repeat(5000)}\ud800` }),
    'a',
    'lone_surrogate',
  ],
  ['a lone surrogate in a key', () => ({ a: { '\ud800': 1 } }), 'a["\\ud800"]', 'lone_surrogate'],
  ['an invalid date', () => ({ at: new Date(Number.NaN) }), 'at', 'invalid_date'],
  [
    'a date with a property',
    () => ({ at: Object.assign(new Date(0), { tz: 1 }) }),
    'at',
    'extra_property',
  ],
  ['a function', () => ({ f: () => 1 }), 'f', 'function'],
  ['a symbol', () => ({ s: Symbol('s') }), 's', 'symbol'],
  ['a symbol key', () => ({ o: { [Symbol('s')]: 1 } }), 'o', 'symbol_key'],
  [
    'a symbol key on an array',
    () => ({ o: Object.assign([1], { [Symbol('s')]: 1 }) }),
    'o',
    'symbol_key',
  ],
  [
    'a named property on an array',
    () => ({ o: Object.assign([1], { x: 1 }) }),
    'o',
    'extra_property',
  ],
  ['a match of a regular expression', () => ({ m: /b/.exec('abc') }), 'm', 'extra_property'],
  ['undefined in an array', () => ({ tags: [1, undefined] }), 'tags[1]', 'undefined'],
  // biome-ignore lint/suspicious/noSparseArray: this is what is refused
  ['a hole', () => ({ tags: [1, , 2] }), 'tags[1]', 'hole'],
  ['an array of holes', () => ({ tags: new Array(5) }), 'tags[0]', 'hole'],
  ['a huge sparse array', () => ({ tags: new Array(2 ** 32 - 1) }), 'tags[0]', 'hole'],
  [
    'a class instance',
    () => ({ tags: [0, 1, { name: new Point() }] }),
    'tags[2].name',
    'class_instance',
  ],
  ['a Map', () => ({ m: new Map() }), 'm', 'class_instance'],
  ['a Set', () => ({ m: new Set() }), 'm', 'class_instance'],
  ['an Error', () => ({ e: new Error('x') }), 'e', 'class_instance'],
  ['a promise', () => ({ p: Promise.resolve() }), 'p', 'class_instance'],
  ['a boxed string', () => ({ s: Object('s') }), 's', 'class_instance'],
  ['an ArrayBuffer', () => ({ b: new ArrayBuffer(1) }), 'b', 'class_instance'],
  ['an object made from another', () => ({ o: Object.create({ a: 1 }) }), 'o', 'class_instance'],
  [
    'an object made from a bare one',
    () => ({ o: Object.create(Object.create(null)) }),
    'o',
    'class_instance',
  ],
  ['a subclass of Date', () => ({ at: new SpecialDate(0) }), 'at', 'class_instance'],
  ['a subclass of Array', () => ({ a: SpecialArray.of(1) }), 'a', 'class_instance'],
  ['a pretended Date', () => ({ at: Object.create(Date.prototype) }), 'at', 'class_instance'],
  ['a pretended array', () => ({ a: Object.create(Array.prototype) }), 'a', 'class_instance'],
  ['a Float64Array', () => ({ f: new Float64Array(1) }), 'f', 'typed_array'],
  ['a Uint8ClampedArray', () => ({ f: new Uint8ClampedArray(1) }), 'f', 'typed_array'],
  ['a DataView', () => ({ f: new DataView(new ArrayBuffer(1)) }), 'f', 'typed_array'],
  ['bytes transferred away', () => ({ b: detachedBytes() }), 'b', 'detached'],
  [
    'a getter',
    () => ({
      o: {
        get a() {
          throw new Error('called')
        },
      },
    }),
    'o.a',
    'accessor',
  ],
  ['a setter', () => ({ set a(_: number) {} }), 'a', 'accessor'],
  ['a hidden getter', () => Object.defineProperty({}, 'a', { get: () => 1 }), 'a', 'accessor'],
  [
    'a getter in an array',
    () => ({ a: Object.defineProperty([1], 0, { get: () => 1 }) }),
    'a[0]',
    'accessor',
  ],
  [
    'a setter in an array',
    () => ({ a: Object.defineProperty([1], 0, { set: () => {} }) }),
    'a[0]',
    'accessor',
  ],
  ['a hidden property', () => Object.defineProperty({}, 'a', { value: 1 }), 'a', 'not_enumerable'],
  [
    'a hidden element of an array',
    () => ({ a: Object.defineProperty([1], 0, { enumerable: false }) }),
    'a',
    'not_enumerable',
  ],
  [
    'arguments',
    () =>
      (function (..._: number[]) {
        // biome-ignore lint/complexity/noArguments: this is what is refused
        return arguments
      })(1),
    '',
    'symbol_key',
  ],
  ['a cycle', cycle, 'top.inner.back[0]', 'cycle'],
  [
    'an array in itself',
    () => {
      const a: unknown[] = []
      a.push(a)
      return { a }
    },
    'a[0]',
    'cycle',
  ],
  ['maps 65 deep', () => nested(65, (a) => ({ a })), Array(64).fill('a').join('.'), 'too_deep'],
  [
    'arrays 65 deep',
    () => ({ a: nested(64, (value) => [value]) }),
    `a${'[0]'.repeat(63)}`,
    'too_deep',
  ],
  [
    'arrays a million deep',
    () => nested(1_000_000, (value) => [value]),
    '[0]'.repeat(64),
    'too_deep',
  ],
  [
    'a cycle of 64 levels',
    () => {
      const bottom: Record<string, unknown> = {}
      bottom.a = nested(63, (a) => (a === 1 ? bottom : { a }))
      return bottom
    },
    Array(63).fill('a').join('.'),
    'cycle',
  ],
  ['a bigint of 64 KiB and a bit', () => ({ n: 1n << 524_288n }), 'n', 'bigint_too_large'],
  ['a key with a dot', () => ({ 'a.b': { 'c d': [Symbol('s')] } }), '["a.b"]["c d"][0]', 'symbol'],
  ['an empty key', () => ({ '': { ü: () => 1 } }), '[""].ü', 'function'],
]

describe('encodeEntity refuses', () => {
  test.each(refused)(
    'encodeEntity: %s -> invalid_entity with its path',
    (_, make, path, reason) => {
      expect(entityFailureOf(() => encodeEntity(make()))).toEqual({ path, reason })
    },
  )

  test('encodeEntity: refusal -> the message names the path', () => {
    const value = { tags: [{}, {}, { name: () => 'x' }] }
    expect(failureOf(() => encodeEntity(value)).message).toContain('tags[2].name')
    expect(failureOf(() => encodeEntity(undefined)).message).toContain('The entity')
  })

  test('encodeEntity: after a refusal -> the next call is right', () => {
    for (const [, make] of refused) {
      expect(() => encodeEntity(make())).toThrow()
      expect(Array.from(encodeEntity({ a: 1 }))).toEqual([0xa1, 0x61, 0x61, 1])
    }
  })

  test('encodeEntity: getters -> never called', () => {
    let calls = 0
    const value = {
      a: 1,
      get b() {
        return ++calls
      },
    }
    expect(() => encodeEntity(value)).toThrow()
    expect(() => encodeEntity([value])).toThrow()
    expect(calls).toBe(0)
  })

  test('encodeEntity: anything bad deep in anything good -> its own path', () => {
    fc.assert(
      fc.property(
        anyValueOf(anyScalar),
        fc.array(fc.oneof(fc.nat(5), fc.string())),
        (good, steps) => {
          let value: unknown = () => 1
          for (const step of [...steps].reverse()) {
            value =
              typeof step === 'number'
                ? [...Array(step).fill(good), value]
                : Object.fromEntries([[step, value]])
          }
          const failure = entityFailureOf(() => encodeEntity(value))
          const path = steps
            .map((step) => {
              if (typeof step === 'number') return `[${step}]`
              return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(step)
                ? `.${step}`
                : `[${JSON.stringify(step)}]`
            })
            .join('')
          expect(failure).toEqual({ path: path.replace(/^\./, ''), reason: 'function' })
        },
      ),
    )
  })
})

describe('encodeEntity limits', () => {
  const tooLarge = { path: '', reason: 'too_large' }

  test('encodeEntity: maxEntityBytes -> exactly that many pass', () => {
    for (const value of ['x'.repeat(97), new Uint8Array(97), Array(98).fill(1), ['x'.repeat(96)]]) {
      const size = encodeEntity(value).length
      expect(encodeEntity(value, { maxEntityBytes: size }).length).toBe(size)
      expect(entityFailureOf(() => encodeEntity(value, { maxEntityBytes: size - 1 }))).toEqual(
        tooLarge,
      )
    }
  })

  test('encodeEntity: over 16 MiB by default -> too_large', () => {
    expect(encodeEntity('x'.repeat(2 ** 24 - 5)).length).toBe(2 ** 24)
    expect(entityFailureOf(() => encodeEntity('x'.repeat(2 ** 24 - 4)))).toEqual(tooLarge)
    expect(entityFailureOf(() => encodeEntity(new Uint8Array(2 ** 25)))).toEqual(tooLarge)
  })

  test('encodeEntity: a few objects that stand for 2^60 -> too_large before long', () => {
    let value: unknown = 'x'.repeat(100)
    for (let i = 0; i < 60; i++) value = [value, value]
    expect(entityFailureOf(() => encodeEntity(value))).toEqual(tooLarge)
  })
})

const throwing: ProxyHandler<object> = {
  getPrototypeOf() {
    throw new Error('trap')
  },
}

function holds(value: unknown, part: object): boolean {
  if (value === part) return true
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
  return Object.values(value).some((child) => holds(child, part))
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

const proxies: readonly (readonly [string, () => unknown, string])[] = [
  ['a proxy', () => new Proxy({ id: 'p1' }, {}), ''],
  ['a proxy of an array', () => ({ id: 'p1', tags: new Proxy([1], {}) }), 'tags'],
  ['a proxy deep inside', () => ({ a: [{}, { b: new Proxy({}, {}) }] }), 'a[1].b'],
  [
    'a proxy beside bytes and dates',
    () => ({ a: new Uint8Array(3), d: new Date(0), p: new Proxy({}, {}) }),
    'p',
  ],
  ['a revoked proxy', () => ({ a: 1, p: revoked({}) }), 'p'],
  ['a revoked proxy of an array', () => [revoked([])], '[0]'],
  ['a proxy whose trap throws', () => ({ p: new Proxy({}, throwing) }), 'p'],
]

describe('proxies', () => {
  test('hostProxyTest: Node -> has one', () => {
    expect(hostProxyTest()?.(new Proxy({}, {}))).toBe(true)
    expect(hostProxyTest()?.({})).toBe(false)
  })

  test.each(proxies)('encodeEntity: %s, where the host can tell -> refused', (_, make, path) => {
    expect(entityFailureOf(() => encodeEntity(make()))).toEqual({ path, reason: 'proxy' })
  })

  test.each(proxies)(
    'encodeEntity: %s, where only cloning can tell -> refused',
    (_, make, path) => {
      const encoder = new EntityEncoder(undefined)
      expect(entityFailureOf(() => encoder.encode(make(), {}))).toEqual({ path, reason: 'proxy' })
      expect(encoder.encode({ a: 1 }, {}).length).toBe(4)
    },
  )

  test('encodeEntity: a proxy of a date or of bytes -> refused as either kind of host sees it', () => {
    for (const target of [new Date(0), new Uint8Array(1)]) {
      const value = { p: new Proxy(target, {}) }
      expect(entityFailureOf(() => encodeEntity(value))).toEqual({ path: 'p', reason: 'proxy' })
      const portable = entityFailureOf(() => new EntityEncoder(undefined).encode(value, {}))
      expect(portable).toEqual({ path: 'p', reason: 'class_instance' })
    }
  })

  test('encodeEntity: memory that the platform will not clone -> accepted, and no cover for a proxy', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(2))
    const clone = structuredClone
    vi.stubGlobal('structuredClone', (value: unknown) => {
      if (holds(value, shared)) throw new DOMException('shared memory', 'DataCloneError')
      return clone(value)
    })
    try {
      const encoder = new EntityEncoder(undefined)
      expect(encoder.encode({ a: { shared }, b: 1 }, {}).length).toBe(17)
      const hidden = { a: { shared }, b: [{ p: new Proxy({}, {}) }] }
      expect(entityFailureOf(() => encoder.encode(hidden, {}))).toEqual({
        path: 'b[0].p',
        reason: 'proxy',
      })
    } finally {
      vi.unstubAllGlobals()
    }
  })

  test('encodeEntity: an object with a proxy for its prototype -> refused, whatever the traps do', () => {
    const endless: object = new Proxy({}, { getPrototypeOf: () => endless })
    for (const prototype of [new Proxy({}, {}), new Proxy({}, throwing), endless, revoked({})]) {
      const value = Object.create(prototype)
      expect(entityFailureOf(() => encodeEntity(value))).toEqual({
        path: '',
        reason: 'class_instance',
      })
    }
  })

  test('encodeEntity: every other refusal, where only cloning can tell -> the same', () => {
    const encoder = new EntityEncoder(undefined)
    for (const [, make, path, reason] of refused) {
      expect(entityFailureOf(() => encoder.encode(make(), {}))).toEqual({ path, reason })
    }
  })
})
