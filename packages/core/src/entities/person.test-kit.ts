/** An entity type with fields of every kind, for the tests of types. */

export interface Address {
  city: string
  zip?: string
  place?: { lat: number; lon: number } | null
  since?: Date
}

export type Shape =
  | { kind: 'circle'; radius: number }
  | { kind: 'label'; text: string; at: Address }

export interface Person {
  id: string
  name: string
  status: 'open' | 'closed'
  age?: number
  balance: bigint
  isMember: boolean
  born: Date
  photo: Uint8Array
  either: string | number
  tags?: string[]
  phones: { kind: string; number: string }[]
  address: Address
  home?: Address
  work: Address | null
  mixed: Address | string
  shape: Shape
  manager?: Person
  marks: Record<string, number>
  sales: Record<number, { total: number }>
  extra: unknown
}
