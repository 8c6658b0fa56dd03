import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBytes } from './bytes.ts'
import { PackedEntries } from './packed-entries.ts'

type Entry = readonly [key: Uint8Array, value: Uint8Array]

/** Few different bytes and lengths: many equal beginnings, and keys that are beginnings of others. */
const key = fc
  .array(fc.constantFrom(0, 1, 255), { maxLength: 9 })
  .map((bytes) => Uint8Array.from(bytes))
const longKey = fc.integer({ min: 0, max: 300 }).map((length) => new Uint8Array(length).fill(7))
const value = fc.uint8Array({ maxLength: 200 })
const step = fc.record({
  kind: fc.constantFrom('put', 'put', 'put', 'remove', 'copy', 'trim', 'abandon', 'cut'),
  key: fc.oneof({ weight: 9, arbitrary: key }, longKey),
  value,
})

/** None of the above. */
const farKey = Uint8Array.of(77, 77)

/** What a sorted map does. */
class Model {
  entries: Entry[] = []

  positionOf(sought: Uint8Array): number {
    return this.entries.filter(([other]) => compareBytes(other, sought) < 0).length
  }

  has(sought: Uint8Array): boolean {
    return this.entries.some(([other]) => compareBytes(other, sought) === 0)
  }
}

function contentOf(entries: PackedEntries): Entry[] {
  return Array.from({ length: entries.count }, (_, i) => [entries.keyAt(i), entries.valueAt(i)])
}

function writtenOf(entries: PackedEntries): Uint8Array {
  const bytes = new Uint8Array(entries.bytes)
  expect(entries.writeTo(bytes, 0)).toBe(bytes.length)
  return bytes
}

/** As the entries stand in a leaf of the file. */
function encodingOf(content: readonly Entry[]): Uint8Array {
  const bytes: number[] = []
  for (const [key, value] of content) {
    const tag = value.length * 2
    // Keys of these tests are short, and no tag has more than two bytes.
    bytes.push(key.length, ...(tag < 0x80 ? [tag] : [(tag & 0x7f) | 0x80, tag >>> 7]))
    bytes.push(...key, ...value)
  }
  return Uint8Array.from(bytes)
}

describe('packed entries', () => {
  test('any edits -> what a sorted list holds, views unchanged, sizes right', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.array(key), (steps, sought) => {
        const model = new Model()
        let entries = PackedEntries.withRoomFor(64)
        const versions: { readonly entries: PackedEntries; readonly content: Entry[] }[] = []
        const views: { readonly view: Uint8Array; readonly copy: Uint8Array }[] = []
        for (const { kind, key, value } of steps) {
          const position = model.positionOf(key)
          const isThere = model.has(key)
          expect(entries.search(key)).toBe(isThere ? position : ~position)
          if (kind === 'copy') {
            versions.push({ entries, content: [...model.entries] })
            entries = entries.copy()
          } else if (kind === 'trim') {
            // What was written to the file, while another version is being changed.
            versions.at(-1)?.entries.trim()
          } else if (kind === 'abandon') {
            // A transaction that is rolled back: what it wrote must not hurt the one after it.
            const abandoned = entries.copy()
            abandoned.insert(~abandoned.search(farKey), farKey, 6, Uint8Array.of(1, 2, 3))
            if (abandoned.count > 1) abandoned.remove(0)
            versions.push({ entries, content: [...model.entries] })
            entries = entries.copy()
          } else if (kind === 'cut' && model.entries.length > 1) {
            const upper = entries.cutAt(position)
            expect(contentOf(upper)).toEqual(model.entries.slice(position))
            entries.append(upper)
          } else if (kind === 'remove' && isThere) {
            entries.remove(position)
            model.entries.splice(position, 1)
          } else if (kind === 'put' && isThere) {
            entries.replaceValue(position, value.length * 2, value)
            model.entries[position] = [key, value]
          } else if (kind === 'put') {
            entries.insert(position, key, value.length * 2, value)
            model.entries.splice(position, 0, [key, value])
            const view = entries.valueAt(position)
            views.push({ view, copy: view.slice() })
          }
          expect(contentOf(entries)).toEqual(model.entries)
        }
        for (const { view, copy } of views) expect(view).toEqual(copy)
        for (const { entries: old, content } of versions) {
          expect(contentOf(old)).toEqual(content)
          for (const [i, [key]] of content.entries()) expect(old.search(key)).toBe(i)
        }
        for (const other of sought) {
          expect(entries.lowerBound(other)).toBe(model.positionOf(other))
          expect(entries.upperBound(other)).toBe(
            model.positionOf(other) + (model.has(other) ? 1 : 0),
          )
        }
        const written = new Uint8Array(entries.bytes)
        expect(entries.writeTo(written, 0)).toBe(entries.bytes)
        let end = 0
        for (let i = 0; i < entries.count; i++) end += entries.entryBytesAt(i)
        expect(end).toBe(entries.bytes)
      }),
      { numRuns: 300 },
    )
  })

  test('keys that come in order, with ends taken away and a cut now and then -> written as what is there', () => {
    const kind = fc.constantFrom('append', 'append', 'append', 'first', 'last', 'cut', 'copy')
    fc.assert(
      fc.property(
        fc.array(fc.oneof(kind, fc.constantFrom('middle', 'replace', 'trim'))),
        (steps) => {
          let entries = PackedEntries.withRoomFor(64)
          let model: Entry[] = []
          const versions: { readonly entries: PackedEntries; readonly content: Entry[] }[] = []
          for (const [i, step] of steps.entries()) {
            const last = model.length - 1
            const middle = last >>> 1
            if (step === 'append') {
              const entry: Entry = [Uint8Array.of(7, i >>> 8, i), new Uint8Array(i % 70).fill(i)]
              entries.insert(model.length, entry[0], entry[1].length * 2, entry[1])
              model.push(entry)
            } else if (step === 'copy') {
              versions.push({ entries, content: [...model] })
              entries = entries.copy()
            } else if (step === 'trim') entries.trim()
            else if (last < 0) continue
            else if (step === 'cut') {
              const upper = entries.cutAt(middle)
              expect(writtenOf(upper)).toEqual(encodingOf(model.slice(middle)))
              if (i % 2 === 0) entries.append(upper)
              else model = model.slice(0, middle)
            } else if (step === 'replace') {
              entries.replaceValue(middle, 2, Uint8Array.of(i))
              model[middle] = [(model[middle] as Entry)[0], Uint8Array.of(i)]
            } else {
              const at = step === 'first' ? 0 : step === 'last' ? last : middle
              entries.remove(at)
              model.splice(at, 1)
            }
            expect(writtenOf(entries)).toEqual(encodingOf(model))
          }
          for (const { entries: old, content } of versions) {
            expect(writtenOf(old)).toEqual(encodingOf(content))
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test('an odd tag -> no value, kept by copies and cuts', () => {
    const entries = PackedEntries.withRoomFor(8)
    const nothing = new Uint8Array(0)
    for (let i = 0; i < 20; i++) {
      entries.insert(
        i,
        Uint8Array.of(5, i),
        i % 2 === 0 ? 1 : 2,
        i % 2 === 0 ? nothing : Uint8Array.of(i),
      )
    }
    const upper = entries.cutAt(10)
    for (const [part, first] of [
      [entries.copy(), 0],
      [upper, 10],
    ] as const) {
      for (let i = 0; i < part.count; i++) {
        expect(part.tagAt(i)).toBe((first + i) % 2 === 0 ? 1 : 2)
        expect(part.valueAt(i)).toEqual((first + i) % 2 === 0 ? nothing : Uint8Array.of(first + i))
      }
    }
  })
})

test('packed entries: more bytes than an offset beside a head can tell -> found all the same, before and after', () => {
  let entries = PackedEntries.withRoomFor(64)
  const keys = [3, 1, 4, 0, 5, 2].map((last) => {
    const key = new Uint8Array(300_000).fill(7)
    key[key.length - 1] = last
    return key
  })
  const versions: PackedEntries[] = []
  for (const [i, key] of keys.entries()) {
    entries.insert(~entries.search(key), key, 2, Uint8Array.of(i))
    versions.push(entries)
    entries = entries.copy()
  }
  for (const [last, version] of versions.entries()) {
    for (const [i, key] of keys.entries()) {
      const position = version.search(key)
      expect(position >= 0).toBe(i <= last)
      if (position >= 0) expect(version.valueAt(position)).toEqual(Uint8Array.of(i))
    }
  }
  // Narrow again.
  const upper = entries.cutAt(4)
  entries.remove(0)
  const copy = PackedEntries.withRoomFor(64)
  copy.append(upper)
  expect(keys.map((key) => copy.search(key))).toEqual([~0, ~0, 0, ~0, 1, ~0])
  expect(keys.map((key) => entries.search(key))).toEqual([2, 0, ~3, ~0, ~3, 1])
})

test('packed entries: entries that were read with room -> more go where they lie, until it is used up', () => {
  const written = PackedEntries.withRoomFor(256)
  const insert = (entries: PackedEntries, id: number): void => {
    const key = Uint8Array.of(id)
    entries.insert(~entries.search(key), key, 8, new Uint8Array(4).fill(id))
  }
  for (const id of [1, 3]) insert(written, id)
  const data = new Uint8Array(new ArrayBuffer(written.bytes + 20), 0, written.bytes)
  written.writeTo(data, 0)
  const read = PackedEntries.over(data, [0, 7], written.bytes, 20)
  const changed = read.copy()
  const memoryBytes = read.memoryBytes
  for (const id of [2, 4]) insert(changed, id)
  expect(changed.keyAt(1).buffer).toBe(data.buffer)
  expect(changed.memoryBytes).toBe(memoryBytes + 16)
  insert(changed, 5)
  expect(changed.keyAt(1).buffer).not.toBe(data.buffer)
  expect(contentOf(changed).map(([id]) => id[0])).toEqual([1, 2, 3, 4, 5])
  expect(contentOf(read)).toEqual(contentOf(written))
})

test('packed entries: a version is trimmed whose index a copy shares -> both as they were', () => {
  const entries = PackedEntries.withRoomFor(2000)
  for (let id = 0; id < 9; id++) {
    entries.insert(id, Uint8Array.of(id), 200, new Uint8Array(100).fill(id))
  }
  entries.remove(0)
  const content = contentOf(entries)
  const copy = entries.copy()
  entries.trim()
  expect(entries.memoryBytes).toBeLessThan(copy.memoryBytes)
  expect(contentOf(entries)).toEqual(content)
  expect(contentOf(copy)).toEqual(content)
})
