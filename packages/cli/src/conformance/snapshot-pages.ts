/** Snapshots page by page, as rules ask for them: over the whole database, whose order is the server's matter. */
import {
  PACKED_FORM,
  type PullResponse,
  type SnapshotPlace,
  type SnapshotRequest,
} from '@entidb/protocol'
import type { Bench } from './bench.ts'
import type { ItemMap } from './cbor-item.ts'
import type { Device } from './device.ts'
import { RuleFailure } from './expectations.ts'

export interface SnapshotPage extends PullResponse {
  readonly snapshot: SnapshotPlace
}

const notOffered = 'the server answers as if snapshots were not asked for'

export const onePage = 'everything comes in one page, whatever the limit'

/** Pages into which the whole database is cut where a rule wants several. */
const PAGES_WANTED = 4

/** The answer to a request for a page, whichever it is. `more`: further fields of the request, or others. */
export async function askForPage(
  device: Device,
  { through, after }: SnapshotRequest,
  more: ItemMap = {},
): Promise<PullResponse> {
  const snapshot = { through, after }
  return device.pull(0, { deviceId: device.id, packed: PACKED_FORM, snapshot, ...more })
}

/** The rule is skipped when the server does not begin a snapshot, and fails when it does not go on with one. */
export async function pageOf(
  bench: Bench,
  device: Device,
  asked: SnapshotRequest,
  more: ItemMap = {},
): Promise<SnapshotPage> {
  const page = await askForPage(device, asked, more)
  const { snapshot } = page
  if (snapshot !== undefined) return { ...page, snapshot }
  if (asked.after === undefined) bench.skip(notOffered)
  throw new RuleFailure('the next page of the snapshot', 'a page without snapshot')
}

/** What is done between two pages; `count` of them have been pulled. */
type Between = (count: number) => Promise<void>

/** Every page from the first one to the last. */
export async function allPages(
  bench: Bench,
  device: Device,
  more: ItemMap = {},
  between: Between = async () => {},
): Promise<readonly SnapshotPage[]> {
  const pages: SnapshotPage[] = []
  const places = new Set<string>()
  for (let asked: SnapshotRequest = {}; ; ) {
    const page = await pageOf(bench, device, asked, more)
    pages.push(page)
    const { through, after } = page.snapshot
    if (after === undefined) return pages
    if (places.has(after)) throw new RuleFailure('a place that leads on', `${after} again`)
    places.add(after)
    await between(pages.length)
    asked = { through, after }
  }
}

/** A place that the server named, or where it names none, one that it might have. */
export async function somePlace(bench: Bench, device: Device): Promise<Required<SnapshotPlace>> {
  const { snapshot } = await pageOf(bench, device, {}, { limit: 2 })
  return { through: snapshot.through, after: snapshot.after ?? 'x' }
}

/** A limit that makes several pages of what there is. */
export async function limitForSeveral(bench: Bench, device: Device): Promise<number> {
  const pages = await allPages(bench, device)
  const sizes = pages.map(({ ops }) => ops.length)
  const entities = sizes.reduce((sum, size) => sum + size, 0)
  return Math.max(1, Math.min(Math.floor(entities / PAGES_WANTED), ...sizes.slice(0, -1)))
}
