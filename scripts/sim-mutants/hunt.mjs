// Runs seeds until one fails, and prints which and why as JSON. Copied beside the packages that it is to test.
import { drawPlan, runPlan, tokenNotes } from '@entidb/testing'

const seedsMax = Number(process.argv[2])
const application = tokenNotes({ notes: 4, accounts: 3, twins: 2 })
let found = null
for (let seed = 1; seed <= seedsMax && found === null; seed++) {
  const { failure } = await runPlan(drawPlan(seed, application), application)
  if (failure !== undefined) found = { seed, message: failure.message }
}
console.log(JSON.stringify(found))
process.exit(0)
