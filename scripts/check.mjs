// Everything that is checked without running the product: types, lint and format, layers.
import { spawnSync } from 'node:child_process'

const steps = [
  ['types of the packages', 'tsc', ['-b']],
  ['types of the tests', 'tsc', ['-p', 'tsconfig.tests.json']],
  ['lint and format', 'biome', ['check', '--error-on-warnings', '.']],
  ['layers', 'node', ['scripts/check-layers.mjs']],
]

for (const [title, command, args] of steps) {
  const started = performance.now()
  const { status } = spawnSync(command, args, {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${title} (${seconds} s)`)
  if (status !== 0) process.exit(1)
}
