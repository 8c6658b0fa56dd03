/** What is used of the package; it ships no types. */
declare module 'cli-progress' {
  interface BarOptions {
    readonly format?: string
    /** `type` says what the value is: `value`, `total`, `percentage`, `duration`, ... */
    readonly formatValue?: (value: number, options: object, type: string) => string
    readonly stream?: NodeJS.WritableStream
    readonly hideCursor?: boolean
    readonly clearOnComplete?: boolean
    readonly fps?: number
    readonly barsize?: number
    /** Restore the terminal when the process is interrupted; false when we do it. */
    readonly gracefulExit?: boolean
  }
  interface BarPreset {
    readonly format: string
  }
  class SingleBar {
    constructor(options: BarOptions, preset?: BarPreset)
    start(total: number, startValue: number, payload?: object): void
    update(value: number, payload?: object): void
    setTotal(total: number): void
    stop(): void
  }
  const Presets: { readonly shades_classic: BarPreset }
}
