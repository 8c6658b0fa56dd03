// How a benchmark's process tells its figures to the one that started it.

export function report(figures) {
  console.log(`figures ${JSON.stringify(figures)}`)
}

/** The figures in what a process printed. */
export function reportedIn(output) {
  const line = output.split('\n').findLast((text) => text.startsWith('figures '))
  if (line === undefined) throw new Error(`a benchmark printed no figures:\n${output}`)
  return JSON.parse(line.slice('figures '.length))
}
