// Everything that is checked without running the product: types, lint and format, layers, size of the bundle.
import { spawnSync } from 'node:child_process'

const steps = [
  { title: 'types of the packages', command: 'tsc', args: ['-b'] },
  { title: 'types of the tests', command: 'tsc', args: ['-p', 'tsconfig.tests.json'] },
  { title: 'lint and format', command: 'biome', args: ['check', '--error-on-warnings', '.'] },
  { title: 'layers', command: 'node', args: ['scripts/check-layers.mjs'] },
  { title: 'bundle for browsers', command: 'node', args: ['scripts/check-bundle.mjs'] },
]

for (const { title, command, args } of steps) {
  const started = performance.now()
  const { status } = spawnSync(command, args, {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const outcome = status === 0 ? 'ok    ' : 'FAILED'
  console.log(`${outcome} ${title} (${seconds} s)`)
  if (status !== 0) process.exit(1)
}
