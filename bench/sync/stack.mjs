// A server and the devices of one engine in one directory: `server` is what a workload gets loaded, each device is fresh.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startScript } from '../processes.mjs'
import { startDeviceProcess } from './device-process.mjs'

/** Of what is put for a load: not more than a push of ours takes as one group. */
const LOAD_TRANSACTION_ENTITIES = 1000

export class Stack {
  #name
  #directory
  #servers = []
  #devices = []
  #loader

  constructor(name, directory) {
    this.#name = name
    this.#directory = directory
  }

  /** Into the server, by a device that is dropped at the end where the stack has no quicker way. */
  async load(entities) {
    const { loadServer } = await this.#module()
    if (loadServer !== undefined) return loadServer(this.#place('server'), entities)
    this.#loader ??= await this.openDevice('loader', await this.startServer())
    await putInTransactions(this.#loader, entities, LOAD_TRANSACTION_ENTITIES)
    await this.#loader.push()
  }

  /** `settings`: for the server's script. */
  async startServer(settings = {}) {
    const directory = this.#place('server')
    const script = `sync/servers/${this.#name}.mjs`
    const { url, stop } = await startScript(script, [directory, JSON.stringify(settings)])
    this.#servers.push(stop)
    return { url, directory }
  }

  /** In this process. `server`: of `startServer`, or at another address. */
  async openDevice(name, server) {
    const { openDevice } = await this.#module()
    const device = await openDevice(this.#place(name), server)
    this.#devices.push(device)
    return device
  }

  /** In a process of its own, which takes the commands of `device-commands.mjs`. */
  async startDevice(name, server) {
    const task = { engine: this.#name, directory: this.#place(name), server }
    const device = await startDeviceProcess(task)
    this.#devices.push(device)
    return device
  }

  async close() {
    for (const device of this.#devices) await device.close()
    for (const stop of this.#servers) await stop()
    if (this.#loader !== undefined) rmSync(this.#place('loader'), { recursive: true })
  }

  #module() {
    return import(`./devices/${this.#name}.mjs`)
  }

  #place(name) {
    const directory = join(this.#directory, name)
    mkdirSync(directory, { recursive: true })
    return directory
  }
}

export async function putInTransactions(device, entities, size) {
  for (let from = 0; from < entities.length; from += size) {
    await device.putMany(entities.slice(from, from + size))
  }
  await device.save?.()
}
