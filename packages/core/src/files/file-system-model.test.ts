/** Any sequence of operations leaves every implementation with what a plain model says. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { File, FileSystem } from './file-system.ts'
import { createMemoryFileSystem } from './memory-file-system.ts'
import { temporaryDirectory } from './node-directory.test-kit.ts'
import { createNodeFileSystem } from './node-file-system.ts'

/** File contents by name: lists of bytes. */
type Model = Map<string, number[]>

interface Step {
  describe: string
  onModel(model: Model): void
  onFiles(files: FileSystem): Promise<void>
}

const names = fc.constantFrom('a', 'b', 'c')
const offsets = fc.nat({ max: 3000 })

async function useFile(
  files: FileSystem,
  name: string,
  use: (file: File) => unknown,
): Promise<void> {
  const file = await files.open(name, { create: true })
  if (file === undefined) throw new Error('not created')
  await use(file)
  await file.close()
}

function resized(content: readonly number[], size: number): number[] {
  return Array.from({ length: size }, (_, index) => content[index] ?? 0)
}

const write = fc
  .record({ name: names, offset: offsets, bytes: fc.uint8Array({ maxLength: 600 }) })
  .map<Step>(({ name, offset, bytes }) => ({
    describe: `write ${bytes.length} at ${offset} of ${name}`,
    onModel: (model) => {
      const old = model.get(name) ?? []
      const size = bytes.length === 0 ? old.length : Math.max(old.length, offset + bytes.length)
      const content = resized(old, size)
      content.splice(offset, bytes.length, ...bytes)
      model.set(name, content)
    },
    onFiles: (files) => useFile(files, name, (file) => file.writeAt(offset, bytes)),
  }))

const truncate = fc.record({ name: names, size: offsets }).map<Step>(({ name, size }) => ({
  describe: `truncate ${name} to ${size}`,
  onModel: (model) => model.set(name, resized(model.get(name) ?? [], size)),
  onFiles: (files) => useFile(files, name, (file) => file.truncate(size)),
}))

const remove = names.map<Step>((name) => ({
  describe: `remove ${name}`,
  onModel: (model) => model.delete(name),
  onFiles: (files) => files.remove(name),
}))

const rename = fc.record({ from: names, to: names }).map<Step>(({ from, to }) => ({
  describe: `rename ${from} to ${to}`,
  onModel: (model) => {
    const content = model.get(from)
    if (content === undefined) return
    model.delete(from)
    model.set(to, content)
  },
  onFiles: async (files) => {
    if ((await files.list()).includes(from)) await files.rename(from, to)
  },
}))

async function contentsOf(files: FileSystem): Promise<Model> {
  const contents: Model = new Map()
  for (const name of [...(await files.list())].sort()) {
    await useFile(files, name, async (file) => {
      const bytes = new Uint8Array(file.size())
      await file.readAt(0, bytes)
      contents.set(name, [...bytes])
    })
  }
  return contents
}

async function expectAsModel(files: FileSystem, steps: readonly Step[]): Promise<void> {
  const model: Model = new Map()
  for (const step of steps) {
    step.onModel(model)
    await step.onFiles(files)
  }
  expect(await contentsOf(files)).toEqual(new Map([...model].sort()))
}

describe('file systems against a model', () => {
  const steps = fc.array(fc.oneof(write, truncate, remove, rename), { maxLength: 20 })

  test('memory: any steps -> contents of the model', async () => {
    await fc.assert(fc.asyncProperty(steps, (s) => expectAsModel(createMemoryFileSystem(), s)))
  })

  test('node: any steps -> contents of the model', async () => {
    const directory = temporaryDirectory()
    const files = createNodeFileSystem(directory)
    await fc.assert(
      fc.asyncProperty(steps, async (s) => {
        for (const name of await files.list()) await files.remove(name)
        await expectAsModel(files, s)
      }),
    )
  })
})
