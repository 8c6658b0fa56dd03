export interface Entity {
  readonly id: string
  readonly email: string
  readonly status: string
  readonly createdAt: number
}
export function idAt(i: number): string
export function emailOf(i: number): string
export function entityAt(i: number): Entity
export function checksumAt(i: number): number
export function checksumOf(entity: Entity): number
export function distinctIndexes(length: number, count: number, seed: number): Uint32Array
