/** A check that failed says how to see it fail again. */

/** 1, 2, 3 and so on, without end; `only` one of them where it is given. */
export function* at(only: number | undefined): Generator<number, void, void> {
  if (only !== undefined) return yield only
  for (let number = 1; ; number++) yield number
}

/** Only one number is to be tried: one that failed before. */
export const isReplay: boolean = process.env.ENTIDB_AT !== undefined

export function replayed(): { readonly only?: number } {
  return isReplay ? { only: Number(process.env.ENTIDB_AT) } : {}
}

/** Adds the command that repeats `action` to the error it fails with. */
export async function withReplay<T>(
  number: number,
  command: string,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action()
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    throw new Error(`${what}\nreplay: ENTIDB_AT=${number} ${command}`, { cause: error })
  }
}
