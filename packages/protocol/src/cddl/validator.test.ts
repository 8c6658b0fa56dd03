import { describe, expect, test } from 'vitest'
import { type CborItem, parseCborItem } from './cbor-item.test-kit.ts'
import { parseCddl } from './parser.test-kit.ts'
import { matchesRule } from './validator.test-kit.ts'

function item(hex: string): CborItem {
  return parseCborItem(Buffer.from(hex, 'hex'))
}

function check(cddl: string, hex: string): boolean {
  return matchesRule(parseCddl(cddl), 'x', item(hex))
}

describe('matchesRule', () => {
  test.each([
    ['x = uint', '05', true],
    ['x = uint', '20', false],
    ['x = uint', 'f94500', false],
    ['x = int', '20', true],
    ['x = -2..3', '21', true],
    ['x = -2..3', '22', false],
    ['x = 0..top top = 3', '03', true],
    ['x = 0..top top = 3', '04', false],
    ['x = "a" / null', '6161', true],
    ['x = "a" / null', 'f6', true],
    ['x = "a" / null', '6162', false],
    ['x = bool', 'f4', true],
    ['x = true', 'f4', false],
    ['x = any', 'c100', true],
    ['x = bstr', 'c14100', false],
  ])('type: %s against %s -> %s', (cddl, hex, expected) => {
    expect(check(cddl, hex)).toBe(expected)
  })

  test.each([
    ['x = bstr .size 2', '420102', true],
    ['x = bstr .size 2', '4101', false],
    ['x = tstr .size (1..2)', '62c3a9', true],
    ['x = tstr .size (1..2)', '60', false],
    ['x = tstr .size (1..2)', '63c3a961', false],
    ['x = tstr .regexp "[a-z]+"', '6161', true],
    ['x = tstr .regexp "[a-z]+"', '62610a', false],
    ['x = tstr .regexp "a|b"', '626162', false],
    ['x = tstr .ne "a"', '6161', false],
    ['x = tstr .ne "a"', '6162', true],
    ['x = uint .lt 0', '00', false],
    ['x = uint .lt 1', '00', true],
    ['x = bstr .cborseq [* uint]', '420118', false],
    ['x = bstr .cborseq [* uint]', '43011818', true],
    ['x = bstr .cborseq [* uint]', '420120', false],
    ['x = bstr .cborseq [* uint]', '40', true],
    ['x = bstr .cborseq [* uint]', '8101', false],
  ])('control: %s against %s -> %s', (cddl, hex, expected) => {
    expect(check(cddl, hex)).toBe(expected)
  })

  test.each([
    ['x = { a: uint }', 'a1616101', true],
    ['x = { a: uint }', 'a0', false],
    ['x = { a: uint }', 'a2616101616202', false],
    ['x = { ? a: uint }', 'a0', true],
    ['x = { b: uint, a: uint }', 'a2616101616202', true],
    ['x = { a: uint, * tstr => any }', 'a26161016162f6', true],
    ['x = { a: uint, * tstr => any }', 'a261610101f6', false],
    ['x = { * tstr .regexp "[a-z]" => uint }', 'a1616101', true],
    ['x = { * tstr .regexp "[a-z]" => uint }', 'a1614101', false],
    ['x = { g, c: uint } g = (a: uint, h) h = (? b: uint)', 'a2616101616301', true],
    ['x = { a: 1 } / { a: 2 }', 'a1616102', true],
    ['x = { ? a: uint .lt 0, * tstr => any }', 'a0', true],
  ])('map: %s against %s -> %s', (cddl, hex, expected) => {
    expect(check(cddl, hex)).toBe(expected)
  })

  test('map: a known key with another value -> the catch-all does not take it', () => {
    expect(check('x = { ? a: uint, * tstr => any }', 'a16161f6')).toBe(false)
  })

  test.each([
    ['x = [* uint]', '80', true],
    ['x = [* uint]', '820102', true],
    ['x = [* uint]', '8201f6', false],
    ['x = [a: uint, b: tstr]', '82016161', true],
    ['x = [a: uint, b: tstr]', '8101', false],
    ['x = [a: uint, b: tstr]', '830161616161', false],
    ['x = [* uint]', 'a0', false],
  ])('array: %s against %s -> %s', (cddl, hex, expected) => {
    expect(check(cddl, hex)).toBe(expected)
  })

  test('schema: a name that is not defined -> TypeError', () => {
    expect(() => check('x = y', '00')).toThrow(TypeError)
    expect(() => check('x = toString', '00')).toThrow(TypeError)
  })

  test('schema: a control that is not known -> TypeError', () => {
    expect(() => check('x = uint .bits 1', '00')).toThrow(TypeError)
  })
})
