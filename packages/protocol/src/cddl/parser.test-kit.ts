/**
 * Parses CDDL (RFC 8610): rules, maps, arrays, named groups, choices of types, ranges, occurrences,
 * controls. Generics, group choices, sockets and inline groups are not part of it, and refused.
 */
import type { CddlEntry, CddlGroup, CddlSchema, CddlType } from './ast.test-kit.ts'
import { type CddlToken, tokensOf } from './lexer.test-kit.ts'

const END: CddlToken = { kind: 'mark', text: 'end of file', line: 0 }

export function parseCddl(text: string): CddlSchema {
  return new CddlParser(tokensOf(text)).schema()
}

class CddlParser {
  private readonly tokens: readonly CddlToken[]
  private at = 0

  constructor(tokens: readonly CddlToken[]) {
    this.tokens = tokens
  }

  schema(): CddlSchema {
    const types = new Map<string, CddlType>()
    const groups = new Map<string, CddlGroup>()
    while (this.at < this.tokens.length) {
      const name = this.takeName()
      this.take('=')
      if (types.has(name) || groups.has(name)) throw new SyntaxError(`${name} is defined twice`)
      if (this.peek().text === '(') groups.set(name, this.enclosed('(', ')'))
      else types.set(name, this.type())
    }
    return { types, groups }
  }

  private type(): CddlType {
    const types = [this.type1()]
    while (this.accept('/')) types.push(this.type1())
    return types.length === 1 ? (types[0] as CddlType) : { kind: 'choice', types }
  }

  private type1(): CddlType {
    const target = this.type2()
    const next = this.peek()
    if (this.accept('..')) {
      return { kind: 'range', min: this.integer(target), max: this.integer(this.type2()) }
    }
    if (next.kind !== 'control') return target
    this.at++
    return { kind: 'control', name: next.text, target, argument: this.type2() }
  }

  private type2(): CddlType {
    const token = this.peek()
    if (token.text === '{') return { kind: 'map', group: this.enclosed('{', '}') }
    if (token.text === '[') return { kind: 'array', group: this.enclosed('[', ']') }
    if (this.accept('(')) {
      const type = this.type()
      this.take(')')
      return type
    }
    this.at++
    if (token.kind === 'number') return { kind: 'literal', value: BigInt(token.text) }
    if (token.kind === 'string') return { kind: 'literal', value: token.text.slice(1, -1) }
    if (token.kind === 'name') return { kind: 'name', name: token.text }
    throw unexpected(token)
  }

  private enclosed(open: string, close: string): CddlGroup {
    this.take(open)
    const entries: CddlEntry[] = []
    while (!this.accept(close)) {
      entries.push(this.entry())
      if (this.peek().text !== close) this.take(',')
    }
    return entries
  }

  private entry(): CddlEntry {
    const [min, max] = this.occurrence()
    const token = this.peek()
    const after = this.tokens[this.at + 1] ?? END
    if (token.kind === 'name' && after.text === ':') {
      this.at += 2
      const key: CddlType = { kind: 'literal', value: token.text }
      return { min, max, key, cut: true, value: this.type() }
    }
    const first = this.type()
    if (this.accept('=>')) {
      return { min, max, key: first, cut: false, value: this.type() }
    }
    return { min, max, key: undefined, cut: false, value: first }
  }

  private occurrence(): readonly [number, number] {
    if (this.accept('?')) return [0, 1]
    if (this.accept('*')) return [0, Number.POSITIVE_INFINITY]
    return [1, 1]
  }

  /** Bounds are numbers or names of numbers: the latter stay names until validation. */
  private integer(type: CddlType): CddlType {
    if (type.kind === 'name' || (type.kind === 'literal' && typeof type.value === 'bigint')) {
      return type
    }
    throw new SyntaxError('A range is between integers')
  }

  private takeName(): string {
    const token = this.peek()
    if (token.kind !== 'name') throw unexpected(token)
    this.at++
    return token.text
  }

  private take(mark: string): void {
    if (!this.accept(mark)) throw unexpected(this.peek())
  }

  private accept(mark: string): boolean {
    const token = this.peek()
    if (token.kind !== 'mark' || token.text !== mark) return false
    this.at++
    return true
  }

  private peek(): CddlToken {
    return this.tokens[this.at] ?? END
  }
}

function unexpected(token: CddlToken): SyntaxError {
  return new SyntaxError(`Line ${token.line}: unexpected ${token.text}`)
}
