// `npm run docs:api`: writes docs/api, and fails when something in it is not documented.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { apiProblems } from './problems.mjs'
import { readApi } from './read-api.mjs'
import { renderApi } from './render.mjs'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(repository, 'docs/api')
const api = readApi(repository)
const problems = apiProblems(api)
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1

const files = renderApi(api)
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder)
for (const [name, text] of files) writeFileSync(join(folder, name), text)
console.log(`docs/api: ${files.size} pages`)
