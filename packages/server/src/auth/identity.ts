/** Who sent a request, and what the token says they may do. */

/** What a token may do. */
export type Access = 'read' | 'write'

/** Who sent a request, and what they may do. */
export interface Identity {
  /** Stable name of the user or service. */
  readonly subject: string
  /**
   * The databases that the token opens. Named explicitly, a database that does not exist is answered
   * with `unknown_database`; under `'*'` with `forbidden`, as one that the token does not open.
   */
  readonly databases: readonly string[] | '*'
  readonly access: Access
  /** Set: the only deviceId that may be used with this token. */
  readonly deviceId?: string
  /** End of the token's life in milliseconds since 1970; streams end with it. */
  readonly expiresAtMs?: number
  /** Verified claims, for policies. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** Turns a bearer token into an identity. */
export interface Authenticator {
  /** Undefined for a token that is not accepted. Throws only when it cannot tell (`unavailable`). */
  authenticate(token: string): Promise<Identity | undefined>
}

/** Whether the identity opens the database at all. */
export function opensDatabase(identity: Identity, dbId: string): boolean {
  return identity.databases === '*' || identity.databases.includes(dbId)
}

/** Whether a missing database may be told from a forbidden one: the token names it. */
export function mayKnowDatabase(identity: Identity, dbId: string): boolean {
  return identity.databases !== '*' && identity.databases.includes(dbId)
}
