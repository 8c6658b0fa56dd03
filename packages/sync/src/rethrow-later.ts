/** An application's bug surfaces as an uncaught error, outside of what it must not break. */
export function rethrowLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
