/** `@entidb/testing`: simulates devices, server, disks and network in one process, from a seed. `docs/simulator.md` explains it. */
export {
  type Action,
  type ActionContext,
  type Application,
  type ApplicationVersion,
  defineApplication,
  defineVersion,
  type ServerEntities,
} from './application/application.ts'
export { smallNotes } from './application/small-notes.ts'
export { type TokenNotesOptions, tokenNotes } from './application/token-notes.ts'
export { estimateRuns, type RunEstimate } from './exhaustive/estimate-runs.ts'
export { type Exploration, type ExploreOptions, explore } from './exhaustive/explore.ts'
export type { ScopeFault, SmallScope } from './exhaustive/small-scope.ts'
export { type Trial, type TryOptions, tryChoices } from './exhaustive/try-choices.ts'
export type { MessageFault, PlannedFault } from './network/faults.ts'
export { Violation } from './oracle/violation.ts'
export { type DrawOptions, drawPlan } from './plan/draw-plan.ts'
export type { Plan, Step, WorldConfig } from './plan/plan.ts'
export { PLAN_PROFILES, type PlanProfile } from './plan/profiles.ts'
export { type RunResult, runPlan } from './run/run-plan.ts'
export { type ShrinkOptions, shrinkPlan } from './run/shrink-plan.ts'
export { type SimulateOptions, simulate } from './run/simulate.ts'
