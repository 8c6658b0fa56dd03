/** Gives each table name a small number, for as long as the store is open. */
export class TableNames {
  readonly #numbersByName = new Map<string, number>()
  readonly #names: string[] = []

  /** Undefined for a name that was never written to. */
  find(name: string): number | undefined {
    return this.#numbersByName.get(name)
  }

  numberOf(name: string): number {
    let number = this.#numbersByName.get(name)
    if (number === undefined) {
      number = this.#names.push(name) - 1
      this.#numbersByName.set(name, number)
    }
    return number
  }

  nameOf(number: number): string {
    // Numbers are only made by `numberOf`.
    return this.#names[number] as string
  }
}
