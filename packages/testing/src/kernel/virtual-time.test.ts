import { expect, test } from 'vitest'
import { Process } from './process.ts'
import { atOnce, VirtualTime } from './virtual-time.ts'

test('virtual time: events of any order -> by time, then as they were asked for, promises first', async () => {
  const time = new VirtualTime()
  const seen: string[] = []
  const note = (what: string) => () => {
    seen.push(`${time.nowMs} ${what}`)
    void Promise.resolve().then(() => seen.push(`${what} follows`))
  }
  time.after(20, note('c'))
  time.after(10, note('a'))
  time.after(10, note('b'))
  time.after(5, note('cancelled'))()
  time.after(30, note('late'))
  while (await time.step(25)) {}
  expect(seen).toEqual(['10 a', 'a follows', '10 b', 'b follows', '20 c', 'c follows'])
})

test('process: ends -> its timers never run, and whoever asked is told', async () => {
  const time = new VirtualTime()
  const process = new Process('p', time)
  const seen: string[] = []
  process.scheduler.after(10, () => seen.push('timer'))
  process.atEnd(() => seen.push('end'))
  process.end()
  process.end()
  while (await time.step()) {}
  expect(seen).toEqual(['end'])
})

test('at once: promises alone -> awaited; what never ends -> an error that names it', async () => {
  let done = false
  const chain = async (): Promise<void> => {
    for (let i = 0; i < 1000; i++) await undefined
    done = true
  }
  await atOnce(chain(), 'a look')
  expect(done).toBe(true)
  await expect(atOnce(new Promise(() => {}), 'a look')).rejects.toThrow('a look does not end')
})
