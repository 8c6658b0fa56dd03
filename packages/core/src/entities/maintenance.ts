/**
 * What is done with a database as a whole, now and then. It is loaded together, when any of it is asked for, as
 * `store/maintenance.ts` is and for the same reason.
 */
export { runBackup, runRestore } from './backup-run.ts'
export { runMigrationPlan } from './migration-plan-run.ts'
export { runSalvage } from './salvage-run.ts'
export { runVerify } from './verify-run.ts'
