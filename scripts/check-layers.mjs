// Fails when a product file imports what its layer may not.
import { readdirSync, readFileSync } from 'node:fs'
import { layerProblems } from './layer-rules.mjs'
import { packages } from './layers.mjs'

const isProduct = (file) => file.endsWith('.ts') && !/\.(test|test-kit)\.ts$/.test(file)

const problems = Object.keys(packages).flatMap((name) =>
  readdirSync(`packages/${name}/src`, { recursive: true })
    .map((path) => `packages/${name}/src/${String(path).replaceAll('\\', '/')}`)
    .filter(isProduct)
    .flatMap((file) => layerProblems(file, readFileSync(file, 'utf8'))),
)

for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1
else console.log('layers: every import goes down')
