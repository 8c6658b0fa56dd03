/**
 * The types of Standard Schema 1 (https://standardschema.dev), copied as its authors intend, so that
 * any validation library fits without a dependency on one.
 */

/** A schema of any validation library that implements Standard Schema. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': StandardSchemaProps<Input, Output>
}

/** What a validation library hangs onto its schemas. */
export interface StandardSchemaProps<Input, Output> {
  // First, so that it is what the compiler names when a schema does not fit.
  readonly types?: { readonly input: Input; readonly output: Output } | undefined
  readonly version: 1
  readonly vendor: string
  readonly validate: (
    value: unknown,
  ) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>
}

/** The value, or what is wrong with it. */
export type StandardSchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardSchemaIssue[] }

/** What a schema finds wrong. */
export interface StandardSchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}
