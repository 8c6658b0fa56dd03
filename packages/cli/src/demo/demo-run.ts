/** The steps of one run of the demo, in their order, and what is said after each of them. */
import { join } from 'node:path'
import type { SyncServer } from '@entidb/server'
import { sumOfTraffic } from '../network/metered-fetch.ts'
import type { Reporter } from '../output/reporter.ts'
import { formatCount } from '../output/units.ts'
import type { ClosingStack } from '../process/closing-stack.ts'
import { accessText } from './access-text.ts'
import { CITIES_DB_ID } from './city.ts'
import { readCities } from './city-source.ts'
import { conflictTable, digestTable, editsTable, figuresTable } from './demo-tables.ts'
import { Device } from './device.ts'
import type { DemoOptions } from './run-demo.ts'
import { StepRunner } from './step-runner.ts'
import { editOffline } from './steps/edit-offline.ts'
import { loadCities } from './steps/load-cities.ts'
import { prepareSecrets, type Secrets } from './steps/prepare-secrets.ts'
import { proveIdentical } from './steps/prove-identical.ts'
import { startServer } from './steps/start-server.ts'
import { syncFirst } from './steps/sync-first.ts'
import { syncUntilQuiet } from './steps/sync-until-quiet.ts'

export interface DemoWorld {
  readonly stop: AbortSignal
  readonly now: () => number
  readonly reporter: Reporter
  /** Whatever is opened is added to it. */
  readonly closing: ClosingStack
}

/** A device whose files were removed meets all of the server's edits; one conflict is what everyone sees. */
const conflictsShown = 3

interface Scene {
  readonly server: SyncServer
  readonly secrets: Secrets
  readonly deviceA: Device
  readonly deviceB: Device
}

export class DemoRun {
  readonly #options: DemoOptions
  readonly #world: DemoWorld
  readonly #steps: StepRunner
  readonly #devices: Device[] = []

  constructor(options: DemoOptions, world: DemoWorld) {
    this.#options = options
    this.#world = world
    const traffic = () => sumOfTraffic(this.#devices.map((device) => device.traffic))
    this.#steps = new StepRunner({ ...world, traffic })
  }

  /** Resolves to whether both devices and the server are identical. What it opened stays open. */
  async run(): Promise<boolean> {
    const scene = await this.#open()
    await this.#load(scene.deviceA)
    await this.#syncFirst(scene.deviceA)
    await this.#syncFirst(scene.deviceB)
    await this.#editOffline(scene)
    await this.#merge(scene)
    const identical = await this.#prove(scene)
    this.#report(scene, identical)
    return identical
  }

  async #open(): Promise<Scene> {
    const { directory, port } = this.#options
    const { closing } = this.#world
    const secrets = await this.#steps.run('secrets', 'certificate and token', (step) =>
      prepareSecrets(directory, step),
    )
    const place = { dataDir: join(directory, 'server'), port }
    const server = await this.#steps.run('server', 'server over TLS', async (step) => {
      const started = await startServer(place, secrets, this.#world, step)
      closing.add(() => started.close())
      return started
    })
    const deviceA = await this.#openDevice('device A', 'device-a', server, secrets)
    const deviceB = await this.#openDevice('device B', 'device-b', server, secrets)
    return { server, secrets, deviceA, deviceB }
  }

  #openDevice(
    name: string,
    folder: string,
    { url }: SyncServer,
    secrets: Secrets,
  ): Promise<Device> {
    const { reporter, closing } = this.#world
    const connection = { serverUrl: new URL(url), token: secrets.token, cert: secrets.tls.cert }
    return this.#steps.run('open', `open ${name}`, async (step) => {
      const device = await Device.open(name, join(this.#options.directory, folder), connection)
      closing.add(() => device.close())
      device.sync.on('error', ({ message }) => reporter.warn(`${name}: ${message}`))
      this.#devices.push(device)
      const { replayedCommits } = device.db.recovery
      if (replayedCommits > 0) step.summary(`${replayedCommits} commits recovered from its log`)
      return device
    })
  }

  #load({ db }: Device): Promise<void> {
    return this.#steps.run('load', 'load the cities into device A', async (step) => {
      const cities = await readCities(this.#options.cities)
      const { loaded, found } = await loadCities(db, cities, step, this.#world.stop)
      step.counted(loaded)
      step.summary(loadText(loaded, found))
    })
  }

  #syncFirst(device: Device): Promise<void> {
    return this.#steps.run('sync', `sync ${device.name}`, async (step) => {
      await syncFirst(device, step, this.#world.stop)
    })
  }

  async #editOffline({ deviceA, deviceB }: Scene): Promise<void> {
    const edits = await this.#steps.run('edit', 'edit both devices offline', async (step) => {
      await Promise.all([deviceA.sync.stop(), deviceB.sync.stop()])
      const made = await editOffline(deviceA.db, deviceB.db)
      step.counted(made.onDeviceA.length + made.onDeviceB.length)
      return made
    })
    this.#world.reporter.table(editsTable(edits))
    this.#world.reporter.fact('edits', { ...edits })
  }

  async #merge({ deviceA, deviceB }: Scene): Promise<void> {
    const { reporter, stop } = this.#world
    const title = 'sync both and merge the conflict'
    const settled = await this.#steps.run('merge', title, async (step) => {
      const merged = await syncUntilQuiet([deviceA, deviceB], stop)
      step.summary(`${merged.length} merged`)
      return merged
    })
    for (const conflict of settled) reporter.fact('conflict', { ...conflict })
    for (const conflict of settled.slice(0, conflictsShown)) {
      const { collection, entityId, device } = conflict
      reporter.note(`Conflict on ${collection}/${entityId}, found by ${device}:`)
      reporter.table(conflictTable(conflict))
    }
    const more = settled.length - conflictsShown
    if (more > 0) reporter.note(`... and ${more} more, merged in the same way.`)
  }

  async #prove({ deviceA, deviceB }: Scene): Promise<boolean> {
    const { reporter, stop } = this.#world
    const proof = await this.#steps.run(
      'prove',
      'prove that all three are identical',
      async (step) => {
        const made = await proveIdentical([deviceA, deviceB], deviceA.pullConnection, stop)
        step.summary(made.identical ? 'identical, byte for byte' : 'THEY DIFFER')
        step.counted(made.digests.reduce((sum, { entities }) => sum + entities, 0))
        return made
      },
    )
    reporter.table(digestTable(proof))
    reporter.fact('proof', { ...proof })
    return proof.identical
  }

  #report({ server, secrets }: Scene, identical: boolean): void {
    const { reporter } = this.#world
    const { token, tokenFile, tls } = secrets
    const access = { url: server.url, token, tokenFile, certFile: tls.certFile }
    reporter.table(figuresTable(this.#steps.figures))
    if (identical && !this.#options.once) reporter.note(accessText(access))
    reporter.fact('result', { identical, ...access, dbId: CITIES_DB_ID })
  }
}

function loadText(loaded: number, found: number): string {
  if (loaded === 0) return `nothing to do, all ${formatCount(found)} are there already`
  return found === 0
    ? formatCount(loaded)
    : `${formatCount(loaded)}, the other ${formatCount(found)} were there already`
}
