/**
 * `@entidb/core/conformance`: the suites that every implementation of a port passes, for implementations
 * of your own. They need no test runner but a `describe` and a `test` of yours.
 */
export {
  type ConformanceRunner,
  type FileSystemSubject,
  fileSystemConformance,
} from './files/file-system-conformance.ts'
export { type StorageSubject, storeConformance } from './store/store-conformance.ts'
