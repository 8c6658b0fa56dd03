import { describe, expect, test } from 'vitest'
import { decodeMessage, encodeMessage } from './codec.ts'
import { text, uint } from './item-codecs.ts'
import { optional, record, required } from './record-codec.ts'
import { bytesOfHex, hexOf } from './vectors.test-kit.ts'

interface Sample {
  readonly b: number
  readonly aa: number
  readonly a?: string
}

const sample = record<Sample>({ aa: required(uint()), b: required(uint()), a: optional(text) })
const decode = (hex: string): Sample => decodeMessage(sample, bytesOfHex(hex), 'invalid_request')

describe('record', () => {
  test('encoder: keys in any order -> shorter first, then bytewise', () => {
    expect(hexOf(encodeMessage(sample, { aa: 1, b: 2, a: 'x' }))).toBe(
      'a3616161786162026261' + '6101',
    )
  })

  test('decoder: keys in every order -> the same message', () => {
    const pairs = ['61616178', '616202', '62616101']
    for (const first of pairs) {
      for (const second of pairs.filter((pair) => pair !== first)) {
        const third = pairs.find((pair) => pair !== first && pair !== second)
        expect(decode(`a3${first}${second}${third}`)).toEqual({ aa: 1, b: 2, a: 'x' })
      }
    }
  })

  test('decoder: a key that begins like another -> its own value', () => {
    expect(decode('a262616101616202')).toEqual({ aa: 1, b: 2 })
  })

  test('decoder: unknown keys between known ones -> passed over', () => {
    expect(decode('a4617a8261780161620262616101617900')).toEqual({ aa: 1, b: 2 })
  })

  test('decoder: an absent optional field -> no property, not undefined', () => {
    expect(Object.keys(decode('a261620262616101'))).toEqual(['b', 'aa'])
  })

  test('decoder: a key __proto__ -> nothing changes', () => {
    const message = decode('a3695f5f70726f746f5f5fa1617801616202626161' + '01')
    expect(message).toEqual({ aa: 1, b: 2 })
    expect(Object.getPrototypeOf(message)).toBe(Object.prototype)
  })
})
