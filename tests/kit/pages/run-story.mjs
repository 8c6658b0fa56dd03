// The process in which a page is run: tells its parent every problem, then that it has come to the end.
import * as story from './story.mjs'

process.on('uncaughtException', (error) => {
  story.reportError(error)
  finish()
})

try {
  await import('./page.mjs')
  story.end()
  // A rejection that nobody awaits is told in the turn after it.
  await new Promise((resolve) => setImmediate(resolve))
} catch (error) {
  story.reportError(error)
}
finish()

/** Whatever the page has left open ends with the process. */
function finish() {
  process.send({ end: true }, () => process.exit())
}
