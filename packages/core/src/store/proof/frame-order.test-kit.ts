/** Frames of a log that were doubled, exchanged or lost in the middle: `corrupt`, never replayed. */
import { strict as assert } from 'node:assert'
import { isEntiDBError } from '../../errors/entidb-error.ts'
import { framesOf, logName, readLogHeader } from '../format-reader/log.test-kit.ts'
import { Random } from '../random.ts'
import { diskWith, SimulatedDisk } from '../simulated-disk.ts'
import { bytesOf, write } from '../store-conformance-support.ts'
import { openTreeStore } from '../tree-store.ts'
import { smallSettings } from './small-files.test-kit.ts'

const FRAMES_OFFSET = 512

/** Of the frames 0 to 3. */
const ORDERS = [
  [0, 1, 1, 2, 3],
  [0, 1, 2, 3, 3],
  [0, 2, 1, 3],
  [0, 1, 3],
  [1, 2, 3],
  [0, 1, 2, 3, 0],
]

export async function expectFrameOrderKept(): Promise<void> {
  const disk = new SimulatedDisk(new Random(1))
  const store = await openTreeStore(disk.mount(), smallSettings(1))
  for (let i = 0; i < 4; i++)
    await write(store, (tx) => tx.put('t', bytesOf('key'), bytesOf(`${i}`)))
  const name = logName(1)
  const bytes = disk.content(name).slice()
  const header = readLogHeader({ name, bytes })
  if (header === undefined) throw new Error('no log')
  const frames = [...framesOf({ name, bytes }, header.salt)]
  for (const order of ORDERS) {
    const pieces = order.map((index) => bytes.subarray(frames[index]?.offset, frames[index]?.end))
    const start = bytes.subarray(0, FRAMES_OFFSET)
    const changed = Buffer.concat([start, ...pieces, new Uint8Array(600)])
    const image = disk.image().set(name, new Uint8Array(changed))
    const opening = openTreeStore(diskWith(new Random(1), image).mount(), smallSettings(2))
    const code = await opening.then(
      () => 'opened',
      (error) => (isEntiDBError(error) ? error.code : String(error)),
    )
    assert.equal(code, 'corrupt', `frames ${order.join(' ')}`)
  }
}
