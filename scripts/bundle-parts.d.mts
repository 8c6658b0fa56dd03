/** What is used of an output in esbuild's metafile. */
export interface Output {
  readonly entryPoint?: string
  readonly imports: readonly { readonly path: string; readonly kind: string }[]
}

export interface Part {
  readonly source: string
  readonly files: number
  readonly bytes: number
}

export function filesLoadedWith(
  names: readonly string[],
  outputs: Readonly<Record<string, Output>>,
): Set<string>

export function measureParts(
  metafile: { readonly outputs: Readonly<Record<string, Output>> },
  sizeOf: (file: string) => number,
  parts: { readonly entry: string; readonly opening: readonly string[] },
): {
  readonly entryBytes: number
  readonly openBytes: number
  readonly totalBytes: number
  readonly first: readonly Part[]
  readonly later: readonly Part[]
}
