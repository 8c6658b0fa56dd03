/**
 * `@entidb/core/conformance`: the suites that every implementation of a port passes, for implementations
 * of your own. They need no test runner but a `describe` and a `test` of yours. And a disk that loses power,
 * for tests of what is built on the ports.
 */
export {
  type ConformanceRunner,
  type FileSystemSubject,
  fileSystemConformance,
} from './files/file-system-conformance.ts'
export { Random } from './store/random.ts'
export { diskWith, SimulatedDisk } from './store/simulated-disk.ts'
export type { Change, Survival } from './store/simulated-medium.ts'
export { type MountOptions, SimulatedCrash, SimulatedMount } from './store/simulated-mount.ts'
export { type StorageSubject, storeConformance } from './store/store-conformance.ts'
