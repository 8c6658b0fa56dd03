#!/usr/bin/env node
/** The `entidb` program: connects the command line to this process. */
import { runCli } from './cli/run-cli.ts'
import { processEnvironment } from './process/process-environment.ts'

process.exitCode = await runCli(process.argv.slice(2), processEnvironment())
