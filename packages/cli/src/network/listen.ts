/** Listening where the user asked for, with an error that says what to do when that is not possible. */

/** What is used of a server. */
export interface Listener {
  listen(address: { readonly host: string; readonly port: number }): Promise<void>
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** The port is taken. */
export class PortBusyError extends Error {
  override readonly name = 'PortBusyError'
  /** As the system's own error has them: nobody needs its stack. */
  readonly code = 'EADDRINUSE'
  readonly syscall = 'listen'

  constructor({ host, port }: Address, cause: unknown) {
    super(
      `port ${port} of ${host} is in use; choose another one with --port, or --port 0 for any`,
      {
        cause,
      },
    )
  }
}

/** Errors: `PortBusyError`; whatever else the system says. */
export async function listenOn(listener: Listener, address: Address): Promise<void> {
  try {
    await listener.listen(address)
  } catch (error) {
    if (isPortBusy(error)) throw new PortBusyError(address, error)
    throw error
  }
}

/** Takes any free port when the wanted one is busy. Resolves to whether it had to. */
export async function listenNear(listener: Listener, address: Address): Promise<boolean> {
  try {
    await listenOn(listener, address)
    return false
  } catch (error) {
    if (!(error instanceof PortBusyError)) throw error
    await listenOn(listener, { ...address, port: 0 })
    return true
  }
}

/** The operating system's error, by itself or as the cause of one that names it better. */
function isPortBusy(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ('code' in error && error.code === 'EADDRINUSE') || isPortBusy(error.cause)
}
