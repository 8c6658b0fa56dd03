// `npm test`: builds, checks, runs every test, and ends with one plain line `N passed, N failed`.
// Arguments are passed on to vitest: `npm test -- packages/core`.
import { spawnSync } from 'node:child_process'

const run = (command, args) =>
  spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' }).status ?? 1

if (run('node', ['scripts/check.mjs']) !== 0) {
  console.log('0 passed, 1 failed')
  process.exit(1)
}
process.exit(
  run('vitest', [
    'run',
    '--reporter=default',
    '--reporter=./scripts/closing-line-reporter.mjs',
    ...process.argv.slice(2),
  ]),
)
