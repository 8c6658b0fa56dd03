/**
 * Holds an item against a rule of a CDDL schema. Entries of a map are tried in order, each taking the
 * pairs it matches; what is left over must be nothing. Rules that the grammar cannot tell apart, a
 * name of a type and one of a group, are told apart by how the name is defined.
 */
import type { CddlEntry, CddlGroup, CddlSchema, CddlType } from './ast.test-kit.ts'
import { type CborItem, parseCborSequence } from './cbor-item.test-kit.ts'

type Pair = readonly [CborItem, CborItem]

const PRELUDE: Readonly<Record<string, (item: CborItem) => boolean>> = {
  any: () => true,
  uint: (item) => item.kind === 'int' && item.value >= 0n && item.value < 1n << 64n,
  int: (item) => item.kind === 'int',
  tstr: (item) => item.kind === 'text',
  bstr: (item) => item.kind === 'bytes',
  bool: (item) => isSimple(item, 20) || isSimple(item, 21),
  false: (item) => isSimple(item, 20),
  true: (item) => isSimple(item, 21),
  null: (item) => isSimple(item, 22),
}

/** True when `item` is what `rule` describes. An undefined name is a `TypeError`. */
export function matchesRule(schema: CddlSchema, rule: string, item: CborItem): boolean {
  return matches(schema, { kind: 'name', name: rule }, item)
}

function matches(schema: CddlSchema, type: CddlType, item: CborItem): boolean {
  switch (type.kind) {
    case 'literal':
      return (item.kind === 'int' || item.kind === 'text') && item.value === type.value
    case 'range':
      return (
        item.kind === 'int' &&
        item.value >= numberOf(schema, type.min) &&
        item.value <= numberOf(schema, type.max)
      )
    case 'choice':
      return type.types.some((choice) => matches(schema, choice, item))
    case 'map':
      return item.kind === 'map' && matchesMap(schema, membersOf(schema, type.group), item.entries)
    case 'array':
      return (
        item.kind === 'array' && matchesArray(schema, membersOf(schema, type.group), item.items)
      )
    case 'control':
      return matches(schema, type.target, item) && obeys(schema, type.name, type.argument, item)
    case 'name':
      return matchesName(schema, type.name, item)
  }
}

function matchesName(schema: CddlSchema, name: string, item: CborItem): boolean {
  const type = schema.types.get(name)
  if (type !== undefined) return matches(schema, type, item)
  const known = Object.hasOwn(PRELUDE, name) ? PRELUDE[name] : undefined
  if (known === undefined) throw new TypeError(`The schema does not define ${name}`)
  return known(item)
}

/** The group's members, with named groups taken apart. */
function membersOf(schema: CddlSchema, group: CddlGroup): readonly CddlEntry[] {
  return group.flatMap((member) => {
    const name = member.key === undefined && member.value.kind === 'name' ? member.value.name : ''
    const named = schema.groups.get(name)
    return named === undefined ? [member] : membersOf(schema, named)
  })
}

function matchesMap(
  schema: CddlSchema,
  members: readonly CddlEntry[],
  entries: readonly Pair[],
): boolean {
  let left = entries
  for (const member of members) {
    const { key } = member
    if (key === undefined) throw new TypeError('A member of a map needs a key')
    const byKey = left.filter(([name]) => matches(schema, key, name))
    const taken = byKey.filter(([, value]) => matches(schema, member.value, value))
    if (member.cut && taken.length < byKey.length) return false
    if (taken.length < member.min || taken.length > member.max) return false
    left = left.filter((pair) => !taken.includes(pair))
  }
  return left.length === 0
}

/** Enough for arrays of single items and of one repeated kind: nothing is ever given back. */
function matchesArray(
  schema: CddlSchema,
  members: readonly CddlEntry[],
  items: readonly CborItem[],
): boolean {
  let at = 0
  for (const member of members) {
    let count = 0
    while (count < member.max && at < items.length) {
      if (!matches(schema, member.value, items[at] as CborItem)) break
      at++
      count++
    }
    if (count < member.min) return false
  }
  return at === items.length
}

function obeys(schema: CddlSchema, control: string, argument: CddlType, item: CborItem): boolean {
  switch (control) {
    case '.size':
      return matches(schema, argument, { kind: 'int', value: sizeOf(item), indicator: '' })
    case '.regexp':
      return item.kind === 'text' && new RegExp(`^(?:${textOf(argument)})$`, 'u').test(item.value)
    case '.cborseq':
      return item.kind === 'bytes' && matches(schema, argument, sequenceOf(item.value))
    case '.ne':
      return !matches(schema, argument, item)
    case '.lt':
      return item.kind === 'int' && item.value < numberOf(schema, argument)
    default:
      throw new TypeError(`Not a control that this validator knows: ${control}`)
  }
}

/** As an array; bytes that are no items are an item that no rule for arrays takes. */
function sequenceOf(bytes: Uint8Array): CborItem {
  try {
    return { kind: 'array', items: parseCborSequence(bytes) }
  } catch {
    return { kind: 'bytes', value: bytes }
  }
}

function sizeOf(item: CborItem): bigint {
  if (item.kind === 'bytes') return BigInt(item.value.length)
  if (item.kind === 'text') return BigInt(Buffer.byteLength(item.value))
  throw new TypeError(`.size is for bytes and text, not for ${item.kind}`)
}

function numberOf(schema: CddlSchema, type: CddlType): bigint {
  if (type.kind === 'literal' && typeof type.value === 'bigint') return type.value
  const named = type.kind === 'name' ? schema.types.get(type.name) : undefined
  if (named === undefined) throw new TypeError('Not a number')
  return numberOf(schema, named)
}

function textOf(type: CddlType): string {
  if (type.kind === 'literal' && typeof type.value === 'string') return type.value
  throw new TypeError('Not text')
}

function isSimple(item: CborItem, value: number): boolean {
  return item.kind === 'simple' && item.value === value
}
