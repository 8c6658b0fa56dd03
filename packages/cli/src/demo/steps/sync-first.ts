/** Step: everything one device has to give and to get, with progress. */
import type { SyncStatus } from '@entidb/sync'
import { orStop } from '../../process/abortable.ts'
import type { Device } from '../device.ts'
import type { Step } from '../step-runner.ts'

/** One cycle after the other. Resolves when a whole cycle moved nothing; conflicts may be left open. */
export async function syncFirst({ sync }: Device, step: Step, stop: AbortSignal): Promise<void> {
  const off = sync.on('status', progressOf(step))
  try {
    let operations = 0
    for (let moved = 1; moved > 0; operations += moved) {
      const { pulled, pushed } = await orStop(sync.sync(), stop)
      moved = pulled + pushed
    }
    step.counted(operations)
  } finally {
    off()
  }
}

/** What is to be received is announced by the server; what is to be sent is known from the most that ever waited. */
function progressOf(step: Step): (status: SyncStatus) => void {
  let pendingMax = 0
  return ({ progress, pending }) => {
    pendingMax = Math.max(pendingMax, pending)
    if (progress !== null) step.progress(progress.done, progress.total)
    else if (pending > 0) step.progress(pendingMax - pending, pendingMax)
  }
}
