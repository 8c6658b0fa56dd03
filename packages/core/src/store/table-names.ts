/** Gives each table name a small number, for as long as the store is open. */
const encoder = new TextEncoder()

export class TableNames {
  readonly #encoded = new Map<string, Uint8Array>()
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

  /** The name in UTF-8; not to be changed. */
  encode(name: string): Uint8Array {
    let bytes = this.#encoded.get(name)
    if (bytes === undefined) {
      bytes = encoder.encode(name)
      this.#encoded.set(name, bytes)
    }
    return bytes
  }

  nameOf(number: number): string {
    // Numbers are only made by `numberOf`.
    return this.#names[number] as string
  }
}
