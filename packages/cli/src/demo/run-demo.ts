/**
 * The main job of the repository: a server over TLS and two devices. Device A gets the cities of the world
 * and syncs them to the server and from there to device B; both are then edited offline, one city on both
 * of them; the conflict is shown and merged; and in the end all three are proven byte-identical.
 *
 * Every step may be interrupted at any point, by Ctrl-C or by force, and goes on at the next start.
 */
import type { CliEnvironment } from '../cli/cli-environment.ts'
import { EXIT_FAILED, EXIT_OK } from '../cli/exit-codes.ts'
import type { Reporter } from '../output/reporter.ts'
import { aborted } from '../process/abortable.ts'
import { ClosingStack } from '../process/closing-stack.ts'
import { DemoRun } from './demo-run.ts'

export interface DemoOptions {
  /** Holds everything: `tls/`, `token`, `server/`, `device-a/`, `device-b/`. */
  readonly directory: string
  /** Of the server; a free one is taken when it is busy. 0: any. */
  readonly port: number
  /** End after the proof instead of serving on. */
  readonly once: boolean
  /** The first of them only; all when undefined. */
  readonly cities: number | undefined
}

/** Resolves to the exit code when stopped or, with `once`, after the proof. Leaves nothing open. */
export async function runDemo(
  options: DemoOptions,
  { stop, now }: Pick<CliEnvironment, 'stop' | 'now'>,
  reporter: Reporter,
): Promise<number> {
  const closing = new ClosingStack()
  try {
    const identical = await new DemoRun(options, { stop, now, reporter, closing }).run()
    if (identical && !options.once) await aborted(stop)
    return identical ? EXIT_OK : EXIT_FAILED
  } catch (error) {
    if (!stop.aborted || error !== stop.reason) throw error
    reporter.note('Stopped. The next start goes on from here.')
    return EXIT_OK
  } finally {
    await closing.close()
  }
}
