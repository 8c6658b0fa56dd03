import type { Entity } from '../harness/data-set.mjs'

export function editAt(i: number, side: 'a' | 'b'): Entity
