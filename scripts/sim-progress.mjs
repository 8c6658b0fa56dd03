// How far `npm run sim` is: a bar on a terminal, otherwise a line now and then.
const isTerminal = process.stdout.isTTY === true
const WIDTH = 30
const LINE_EVERY_MS = 30_000
let lineAtMs = performance.now()

/** `done`: the part from 0 to 1. */
export function showProgress(done, text) {
  const nowMs = performance.now()
  if (isTerminal) {
    const full = Math.round(done * WIDTH)
    process.stdout.write(`\r[${'='.repeat(full)}${' '.repeat(WIDTH - full)}] ${text} `)
  } else if (nowMs - lineAtMs >= LINE_EVERY_MS) {
    lineAtMs = nowMs
    console.log(text)
  }
}

/** What is printed next begins a line. */
export function endProgress() {
  if (isTerminal) console.log()
}
