import { describe, expect, test } from 'vitest'
import { createLineProgress } from './progress-reports.ts'

describe('progress in lines', () => {
  test('update: often -> a line every two seconds, nothing for short work', () => {
    const lines: string[] = []
    let now = 0
    const progress = createLineProgress(
      'load',
      (text) => lines.push(text),
      () => now,
    )
    for (now = 0; now <= 5_000; now += 100) progress.update(now, 10_000)
    progress.end()
    expect(lines).toEqual(['  load: 2,000 of 10,000', '  load: 4,000 of 10,000'])
  })
})
