/** Resolves when everything else that can run has run: how long a slow flush of a simulated disk takes. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
