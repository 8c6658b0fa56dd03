// The suites by name, each loaded when it is asked for.
const SUITES = {
  store: () => import('../store/suite.mjs'),
  entities: () => import('../entities/suite.mjs'),
  sync: () => import('../sync/suite.mjs'),
}

export const SUITE_NAMES = Object.keys(SUITES)

/** @returns {Promise<import('./suite.mjs').Suite>} */
export async function suiteNamed(name) {
  const { suite } = await SUITES[name]()
  return suite
}
