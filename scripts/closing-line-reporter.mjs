// Prints skipped tests loudly and, as the very last line, `N passed, N failed`.

export default class ClosingLineReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 }
    for (const module of modules) {
      if (module.errors().length > 0) counts.failed++
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'pending') counts.failed++
        else counts[state]++
        if (state === 'skipped')
          console.log(`SKIPPED: ${test.fullName} ${test.result().note ?? ''}`)
      }
    }
    // After the summary of the reporter before this one, which prints when the process winds up.
    process.once('exit', () => console.log(`${counts.passed} passed, ${counts.failed} failed`))
  }
}
