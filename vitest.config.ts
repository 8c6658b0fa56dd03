import { defineConfig } from 'vitest/config'

const KILLING = ['tests/killed-*.test.ts', 'tests/lost-responses.test.ts']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
          testTimeout: 30_000,
          // Most files are short: loading the packages anew for each took as long as running it.
          isolate: false,
          // By default one core is left idle: of two, half of the machine.
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          // Whole-system tests with real processes, files and TLS.
          name: 'system',
          include: ['tests/**/*.test.ts'],
          exclude: KILLING,
          testTimeout: 300_000,
          hookTimeout: 60_000,
          maxWorkers: '100%',
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          // Those that kill processes at moments of their own choice, one at a time: each fills both cores of
          // a machine with two.
          name: 'killing',
          include: KILLING,
          testTimeout: 300_000,
          hookTimeout: 60_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
