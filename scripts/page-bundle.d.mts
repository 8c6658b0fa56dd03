export const sources: string

export function bundleForPages(options: {
  readonly outdir: string
  readonly write: boolean
}): Promise<{
  readonly outputFiles: readonly { readonly path: string; readonly contents: Uint8Array }[]
  readonly metafile: {
    readonly outputs: Readonly<
      Record<
        string,
        {
          readonly entryPoint?: string
          readonly imports: readonly { readonly path: string; readonly kind: string }[]
        }
      >
    >
  }
}>
