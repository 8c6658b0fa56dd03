/** Exit codes of `entidb`. They are API: scripts test them. `docs/cli.md` lists them. */

/** Everything asked for was done; a server that was told to stop has stopped cleanly. */
export const EXIT_OK = 0
/** It failed: an error, or a proof that did not hold. */
export const EXIT_FAILED = 1
/** The command line was wrong: unknown command or option, missing or malformed value. Nothing was done. */
export const EXIT_USAGE = 2
/** The work was done, and what it looked at is damaged: `verify` found problems, `salvage` had to leave something behind, a rule of `conformance` did not hold, `migrate` met entities that it cannot migrate. */
export const EXIT_PROBLEMS = 3
/** A second Ctrl-C (or SIGTERM) ended the process before it had stopped cleanly: 128 + SIGINT. */
export const EXIT_KILLED = 130
