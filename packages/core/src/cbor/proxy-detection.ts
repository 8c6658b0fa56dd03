/**
 * A proxy cannot be told from its target by any operation of the language itself. Node, Deno and Bun can
 * tell; elsewhere structuredClone does, which refuses proxies but has to copy the whole value.
 */
import type { ValuePath } from './invalid-entity.ts'

export type ProxyTest = (value: object) => boolean

/** The host's own test, or undefined where it has none. */
export function hostProxyTest(): ProxyTest | undefined {
  // Not typed by the standard library, and this module must load where there is no `process`.
  const host = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }
  const util = host.process?.getBuiltinModule?.('node:util')
  // The shape of node:util, checked by the typeof that follows.
  const isProxy = (util as { types?: { isProxy?: ProxyTest } } | undefined)?.types?.isProxy
  return typeof isProxy === 'function' ? isProxy : undefined
}

/**
 * Finds a proxy in a value whose every part seems to be data. Cloning runs accessors: call this after
 * they were ruled out, or when a proxy's trap has run and thrown already.
 */
export function findProxyByCloning(value: object): ValuePath | undefined {
  if (typeof structuredClone !== 'function' || isCloneable(value)) return undefined
  return findUncloneable(value, [])
}

/** The innermost container that cannot be cloned although all it holds can. */
function findUncloneable(value: object, path: ValuePath): ValuePath | undefined {
  let decidable = true
  for (const [name, child] of childrenOf(value)) {
    if (isCloneable(child)) continue
    const step = Array.isArray(value) ? Number(name) : name
    const found = ArrayBuffer.isView(child) ? undefined : findUncloneable(child, [...path, step])
    if (found !== undefined) return found
    // Memory that may not be cloned is no proxy, and hides whether what holds it is one.
    decidable = false
  }
  return decidable ? path : undefined
}

function childrenOf(value: object): [string, object][] {
  const children: [string, object][] = []
  try {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
      const child: unknown = descriptor.value
      if (typeof child === 'object' && child !== null) children.push([name, child])
    }
  } catch {
    // Only a proxy can fail here: it was revoked, or a trap threw.
  }
  return children
}

function isCloneable(value: object): boolean {
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}
