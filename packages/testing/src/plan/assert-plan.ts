/** A plan that was kept may be of an application that has changed since: it would silently be another run. */
import type { CompleteVersion } from '../application/versions.ts'
import type { Plan } from './plan.ts'

/** @throws TypeError */
export function assertPlan({ config }: Plan, versions: readonly CompleteVersion[]): void {
  const [{ resolvers }] = versions as readonly [CompleteVersion] // there is always a first
  for (const name of config.resolvers) {
    if (!Object.hasOwn(resolvers, name)) {
      throw new TypeError(`the plan has a device with the resolver ${name}, and there is none`)
    }
  }
  for (const version of config.versions) {
    if (versions[version - 1] === undefined) {
      throw new TypeError(`the plan has a device of version ${version}, and there is none`)
    }
  }
}
