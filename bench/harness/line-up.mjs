// The engines of a suite by name. The module of an adapter is loaded only in the process that runs its engine.
//
// kinds:
//   ours       the one that the goals are about; tables and ratios start from it
//   peer       the least acceptable ratios are against these
//   beside     shown beside the peers, and its ratio with the verdicts; no goal is over it
//   in memory  keeps nothing when its process ends; shown, no goal is over it
//   variant    takes part in the workloads that name it, for comparison
//   limit      what the disk allows; takes part in workloads with `withLimits`

/** The name of ours in every suite. */
export const OURS = 'entidb'

const ALWAYS = ['ours', 'peer', 'in memory', 'beside']

/**
 * @typedef {object} Entry
 * @property {string} kind
 * @property {string} module The adapter's file, without its ending.
 * @property {object} [options] What its `open` gets besides that of the run.
 * @property {string} [placeOf] The engine whose database this one reads.
 * @property {boolean} [isVolatile] Keeps nothing: every process loads it anew.
 * @property {number} [entitiesMost] With more it takes no part.
 * @property {number} [effortShare] Of the work of the others that this one does: figures are by operation.
 * @property {{ [work: string]: number }} [effortShares] The same for single kinds of work.
 * @property {string} [color] In the plots.
 */
export class LineUp {
  #entries
  #importAdapter

  /** `entries`: name -> Entry, in the order of the tables. `importAdapter(module)` imports its file. */
  constructor(entries, importAdapter) {
    this.#entries = new Map(Object.entries(entries))
    this.#importAdapter = importAdapter
  }

  get names() {
    return [...this.#entries.keys()]
  }

  get peers() {
    return this.#ofKinds(['peer'])
  }

  get beside() {
    return this.#ofKinds(['beside'])[0]
  }

  /** Those with a column in the table of figures. */
  get columns() {
    return ALWAYS.flatMap((kind) => this.#ofKinds([kind]))
  }

  /** Those that take part in a workload of `count` entities; `chosen`: of these only, if some were named. */
  takingPart({ engines, unlessNamed, withLimits = false, variants = [] }, chosen, count = 0) {
    const usual = this.#ofKinds(withLimits ? [...ALWAYS, 'limit'] : ALWAYS)
    const able = engines ?? [...usual, ...variants]
    const wanted = chosen ?? unlessNamed ?? able
    const isAble = (name) => count <= (this.#entries.get(name).entitiesMost ?? Infinity)
    return this.names.filter((name) => able.includes(name) && wanted.includes(name) && isAble(name))
  }

  isLimit(name) {
    return this.#entries.get(name).kind === 'limit'
  }

  isVariant(name) {
    return this.#entries.get(name).kind === 'variant'
  }

  isVolatile(name) {
    return this.#entries.get(name).isVolatile ?? false
  }

  colorOf(name) {
    return this.#entries.get(name).color ?? '#7f7f7f'
  }

  placeOf(name) {
    return this.#entries.get(name).placeOf ?? name
  }

  /** How much this engine does to be measured once. */
  effortOf(name, effort) {
    const { effortShare = 1, effortShares = {} } = this.#entries.get(name)
    return Object.fromEntries(
      Object.entries(effort).map(([work, amount]) => [
        work,
        Math.ceil(amount * (effortShares[work] ?? effortShare)),
      ]),
    )
  }

  /** Loads the module, so that opening can be timed without it. */
  async load(name) {
    const { module, options: fixed = {} } = this.#entries.get(name)
    const { open } = await this.#importAdapter(module)
    return { open: (directory, options) => open(directory, { ...options, ...fixed }) }
  }

  #ofKinds(kinds) {
    return this.names.filter((name) => kinds.includes(this.#entries.get(name).kind))
  }
}
