// What the system says of this process and of a directory.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { reportedIn } from '../report.mjs'

export const MIB = 1024 * 1024
const BLOCK_BYTES = 512

/** Space the files take, not their length: what is allocated ahead counts, holes do not. */
export function bytesOnDisk(directory) {
  let bytes = 0
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const { blocks, size } = statSync(join(entry.parentPath ?? entry.path, entry.name))
    bytes += blocks > 0 ? blocks * BLOCK_BYTES : size
  }
  return bytes
}

/** Resident bytes once garbage is collected. */
export async function residentBytes() {
  for (let k = 0; k < 2; k++) {
    globalThis.gc?.()
    // V8 gives pages back a moment after it collected them.
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return process.memoryUsage().rss
}

/** The most bytes that were ever resident. */
export function peakResidentBytes() {
  try {
    const [, kibibytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    return Number(kibibytes) * 1024
  } catch {
    return process.resourceUsage().maxRSS * 1024
  }
}

/** Resident bytes of a Node process that does nothing. */
export function bareResidentBytes() {
  const script = fileURLToPath(new URL('./bare-node.mjs', import.meta.url))
  const { stdout } = spawnSync(process.execPath, ['--expose-gc', script], { encoding: 'utf8' })
  return reportedIn(stdout).residentBytes
}
