/** As an error thrown in an event handler: it reaches the host, not the caller. */
export function reportUncaught(error: unknown): void {
  void Promise.reject(error)
}
