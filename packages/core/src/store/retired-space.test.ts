import { expect, test } from 'vitest'
import { EditToken, leafOf, NodeRef } from './node.ts'
import { RetiredSpace } from './retired-space.ts'
import { bytesOf } from './store-conformance-support.ts'

function refMadeAt(lsn: number, start?: number): NodeRef {
  const node = leafOf(new EditToken(lsn), bytesOf('key'), bytesOf('value'))
  return new NodeRef(node, start === undefined ? undefined : { start, bytes: 100 })
}

test('retired: while a checkpoint writes -> counts with the place that it gives, or takes back', () => {
  const retired = new RetiredSpace()
  const [placedLater, takenBack, madeLater] = [refMadeAt(5), refMadeAt(5, 20), refMadeAt(7)]
  retired.add(8, [placedLater, takenBack, madeLater], [], 6)
  placedLater.extent = { start: 30, bytes: 100 }
  takenBack.extent = undefined
  madeLater.extent = { start: 40, bytes: 100 }
  expect([...retired.extentsUpTo(8)]).toEqual([{ start: 30, bytes: 100 }])
})

test('retired: no checkpoint -> the extents alone, whatever becomes of the nodes', () => {
  const retired = new RetiredSpace()
  const [written, unwritten] = [refMadeAt(5, 20), refMadeAt(5)]
  retired.add(8, [written, unwritten], [], undefined)
  unwritten.extent = { start: 30, bytes: 100 }
  expect([...retired.extentsUpTo(8)]).toEqual([{ start: 20, bytes: 100 }])
})

test('retired: a checkpoint ended -> what has no place is forgotten', () => {
  const retired = new RetiredSpace()
  const [placed, unplaced] = [refMadeAt(5), refMadeAt(5)]
  retired.add(8, [placed, unplaced], [], 6)
  placed.extent = { start: 30, bytes: 100 }
  retired.forgetUnplaced()
  unplaced.extent = { start: 40, bytes: 100 }
  expect([...retired.extentsUpTo(8)]).toEqual([{ start: 30, bytes: 100 }])
})
