// Runs the chosen workloads: in every round each workload by all its engines in turn, one process each, so
// that whatever slows the machine down meets them all.
import { runScript } from '../processes.mjs'
import { OURS } from './line-up.mjs'
import { Places } from './places.mjs'
import { Samples } from './samples.mjs'

/** `settings`: of options.mjs, and `progress(text)`. */
export async function runRounds(suite, { rows, engines, rounds, counts, ...settings }) {
  const { effort, cacheBytes, profile, withoutWaiting, progress } = settings
  const runTask = (task) => {
    progress(`${task.engine}: ${task.workload}, round ${(task.round ?? 0) + 1} of ${rounds}`)
    const shared = { suite: suite.name, effort, cacheBytes, profile, withoutWaiting }
    const child = JSON.stringify({ ...shared, ...task })
    return runScript('harness/child.mjs', [child], ['--expose-gc'])
  }
  const samples = new Samples()
  const places = new Places({
    engines: suite.engines,
    load: (engine, directory, entities) =>
      runTask({ workload: 'load', engine, directory, count: entities }),
    kept: settings.data,
  })
  try {
    for (let round = 0; round < rounds; round++) {
      for (const workload of suite.workloadsFor(rows)) {
        const count = counts[workload.size ?? 'usual']
        const taking = suite.engines.takingPart(workload, engines, count)
        for (const engine of rotated(taking, round)) {
          const place = { kind: workload.place, engine, count }
          const outcome = await places.with(place, (directory) =>
            runTask({ workload: workload.name, engine, directory, count, round }),
          )
          const { unfinishedAfterMinutes: minutes } = outcome
          if (minutes === undefined) samples.add(workload, engine, outcome)
          else if (engine !== OURS) samples.addUnfinished(workload, engine, minutes)
          else throw new Error(`${workload.name}: ours did not finish within ${minutes} minutes`)
        }
      }
    }
  } finally {
    places.remove()
  }
  return samples
}

/** Another engine begins in every round. */
function rotated(names, by) {
  const at = by % Math.max(1, names.length)
  return [...names.slice(at), ...names.slice(0, at)]
}
