/** `entidb demo`: the main job of the repository; see `demo/run-demo.ts`. */
import { resolve } from 'node:path'
import type { CliCommand } from '../cli/cli-command.ts'
import { runDemo } from '../demo/run-demo.ts'
import { createReporter } from '../output/create-reporter.ts'

/** Enough of them for every country that the demo edits. */
const citiesMin = 500
const citiesMax = 138_398

export const demoCommand: CliCommand = {
  summary: 'Run a server and two devices with all cities of the world, and merge a conflict',
  options: {
    data: {
      type: 'string',
      valueHint: 'dir',
      default: './data',
      description: 'Where everything is kept: certificate, token, server, devices',
    },
    port: {
      type: 'string',
      valueHint: 'port',
      default: '8443',
      description: 'Port of the server; a free one is taken when it is in use',
    },
    once: { type: 'boolean', description: 'End after the proof instead of serving on' },
    cities: {
      type: 'string',
      valueHint: 'number',
      description: `Load only that many cities (${citiesMin} to ${citiesMax})`,
    },
    json: { type: 'boolean', description: 'Print one JSON object per line' },
  },
  run(args, environment) {
    const options = {
      directory: resolve(args.text('data')),
      port: args.port('port'),
      once: args.flag('once'),
      cities: args.optionalCount('cities', citiesMin, citiesMax),
    }
    return runDemo(options, environment, createReporter(args, environment))
  },
}
