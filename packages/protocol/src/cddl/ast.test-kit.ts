/** What a CDDL file (RFC 8610) says, for the part of the language that `protocol.cddl` uses. */

export type CddlType =
  | { readonly kind: 'literal'; readonly value: bigint | string }
  | { readonly kind: 'range'; readonly min: CddlType; readonly max: CddlType }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'choice'; readonly types: readonly CddlType[] }
  | { readonly kind: 'map'; readonly group: CddlGroup }
  | { readonly kind: 'array'; readonly group: CddlGroup }
  | {
      readonly kind: 'control'
      readonly name: string
      readonly target: CddlType
      readonly argument: CddlType
    }

/** A sequence of entries; group choices (`//`) are not used. */
export type CddlGroup = readonly CddlEntry[]

export interface CddlEntry {
  readonly min: number
  readonly max: number
  /**
   * `name:` or `type =>`. Absent in arrays, and where the value may be the name of a group, whose
   * entries then stand here.
   */
  readonly key: CddlType | undefined
  /** After `name:` a matching key with another value is an error, not a case for later entries. */
  readonly cut: boolean
  readonly value: CddlType
}

/** Rules by name: what a name stands for as a type, or as a group. */
export interface CddlSchema {
  readonly types: ReadonlyMap<string, CddlType>
  readonly groups: ReadonlyMap<string, CddlGroup>
}
