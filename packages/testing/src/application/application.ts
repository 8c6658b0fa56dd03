/** What is simulated: an application's collections, what its users do, and how it settles conflicts. */
import type { CollectionDefinitions, Entity, Transaction } from '@entidb/core'
import type { Random } from '@entidb/core/conformance'
import type { Policy } from '@entidb/server'
import type { ConflictResolver } from '@entidb/sync'

/** What an action may use besides its transaction. */
export interface ActionContext {
  /** Chance, the same whenever the run is repeated. `Math.random` and the clock would end that. */
  readonly random: Random
  /** A text that no other action of the run gets: written into an entity it makes an edit recognisable. */
  readonly unique: string
  /** Where it happens. */
  readonly device: string
  /**
   * Entities that this device showed somebody earlier, to be saved late with `{ basedOn }`; empty whenever it boots. An edit that
   * the device made since and that is not synced is the application's own to keep: a form saved over it counts as losing it.
   */
  readonly forms: Map<string, Entity>
}

/** Something that a user does: one local transaction. */
export interface Action<D extends CollectionDefinitions = CollectionDefinitions> {
  /** How often it happens, compared with the others: a whole number, 0 for never. Default 1. */
  readonly weight?: number
  /** What it throws undoes it; it is a failure of the run all the same. */
  run(tx: Transaction<D>, context: ActionContext): Promise<void>
}

/** The entities of the server at one moment, by collection. */
export type ServerEntities = ReadonlyMap<string, readonly Entity[]>

/** An application to simulate; `docs/simulator.md` has an example. */
export interface Application<D extends CollectionDefinitions = CollectionDefinitions> {
  readonly collections: D
  /** Written by the first device before anything else happens, and synced. */
  setUp?(tx: Transaction<D>): Promise<void>
  /** By name. */
  readonly actions: Readonly<Record<string, Action<D>>>
  /**
   * By name; every device gets one of them. Undefined: the device has none, and every conflict waits for `decide`. One that
   * throws, takes too long or answers what is no resolution is a failure of the run.
   */
  readonly resolvers: Readonly<Record<string, ConflictResolver | undefined>>
  /** What people decide about conflicts that no resolver settled. `defer` leaves them open until the end, where it is an error. */
  readonly decide: ConflictResolver
  /**
   * Versions that came after this one, oldest first: devices run any of them, and are upgraded in the middle of a
   * run. All have the same collections.
   */
  readonly later?: readonly ApplicationVersion[]
  /** Of the server. What it throws is a failure of the run. */
  readonly policy?: Policy
  /**
   * What must hold in the server's entities after every commit. The answer, at once, says what is wrong; undefined: nothing.
   * They are as their version wrote them.
   * Not asked any more once a server was restored: devices then offer what it lost one by one.
   */
  invariant?(entities: ServerEntities): string | undefined
}

/** A later version of an application. What is absent is that of the version before. */
export interface ApplicationVersion<D extends CollectionDefinitions = CollectionDefinitions> {
  /** With a higher `version`, and `migrations` to it, where the shape changed. */
  readonly collections: D
  /** Those that changed, and new ones, which older devices do not know. */
  readonly actions?: Readonly<Record<string, Action<D>>>
  /** Those that changed. */
  readonly resolvers?: Readonly<Record<string, ConflictResolver | undefined>>
  readonly decide?: ConflictResolver
}

/**
 * It is here for the types; what is wrong with an application is said where it is run.
 *
 * @example
 * const application = defineApplication({
 *   collections: { notes: defineCollection<Note>({}) },
 *   actions: { write: { run: async (tx, { unique }) => { await tx.collection('notes').put({ id: 'a', text: unique }) } } },
 *   resolvers: { mine },
 *   decide: mine,
 * })
 */
export function defineApplication<const D extends CollectionDefinitions>(
  application: Application<D>,
): Application {
  // Its methods are only ever called with transactions of its own collections.
  return application as unknown as Application
}

/**
 * As `defineApplication`, for one of its `later` versions.
 *
 * @example
 * const second = defineVersion({
 *   collections: { notes: defineCollection<NoteV2>({ version: 2, migrations: { 2: (note: Note) => ({ ...note, stars: 0 }) } }) },
 * })
 */
export function defineVersion<const D extends CollectionDefinitions>(
  version: ApplicationVersion<D>,
): ApplicationVersion {
  // Its methods are only ever called with transactions of its own collections.
  return version as unknown as ApplicationVersion
}
