/** Where a package is imported from. */
export interface EntryPoint {
  /** `@entidb/core/node` */
  readonly specifier: string
  /** Name of its page in `docs/api`. */
  readonly page: string
  /** The declarations that the compiler made, and the source they are made of. */
  readonly types: string
  readonly source: string
}

export interface ApiMember {
  readonly name: string
  readonly doc: string | undefined
  readonly code: string
  readonly isCallable: boolean
}

export interface ApiItem {
  readonly name: string
  readonly kind: 'function' | 'class' | 'interface' | 'type' | 'constant'
  /** Markdown. */
  readonly doc: string | undefined
  readonly code: string
  /** Of a class. */
  readonly members: readonly ApiMember[]
  /** Members that need a docstring and have none. */
  readonly undocumented: readonly string[]
  /** Types of ours that it names: with their pages, or exported by none. */
  readonly types: {
    readonly exported: readonly { readonly name: string; readonly entry: EntryPoint }[]
    readonly hidden: readonly string[]
  }
}

export interface ApiPage {
  readonly entry: EntryPoint
  readonly header: string | undefined
  readonly items: readonly ApiItem[]
  /** Exports that another entry point's page documents. */
  readonly elsewhere: readonly { readonly name: string; readonly entry: EntryPoint }[]
}

export interface Api {
  readonly pages: readonly ApiPage[]
}
