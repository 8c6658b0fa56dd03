/** `npm run sim`: what it is told. What it finds is tested where it is built. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('../scripts/sim.mjs', import.meta.url))

test.each([
  ['no thread', ['--seeds', '2', '--jobs', '0']],
  ['no seed', ['--seeds', '0']],
  ['a variable that was not set', ['--seeds', '']],
  ['what is no number', ['--seed', 'x']],
  ['no thread for all interleavings', ['--exhaustive', '--jobs', '0']],
])('%s -> refused, instead of finding nothing wrong', async (_, args) => {
  await expect(promisify(execFile)(process.execPath, [script, ...args])).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('is a whole number from'),
  })
})
