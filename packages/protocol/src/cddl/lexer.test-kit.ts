/** Splits CDDL into tokens; comments and blanks go. */

export interface CddlToken {
  readonly kind: 'name' | 'number' | 'string' | 'control' | 'mark'
  readonly text: string
  readonly line: number
}

const PATTERNS: readonly (readonly [CddlToken['kind'] | 'blank', RegExp])[] = [
  ['blank', /(?:\s+|;[^\n]*)+/y],
  ['string', /"[^"]*"/y],
  ['control', /\.[a-z]+/y],
  ['number', /-?[0-9]+/y],
  ['name', /[A-Za-z_@$][A-Za-z0-9_@$.-]*(?<![.-])/y],
  ['mark', /=>|\.\.|[=:/?*,()[\]{}]/y],
]

export function tokensOf(text: string): readonly CddlToken[] {
  const tokens: CddlToken[] = []
  let at = 0
  while (at < text.length) {
    const found = nextToken(text, at)
    if (found === undefined)
      throw new SyntaxError(`Line ${lineAt(text, at)}: ${text.slice(at, at + 20)}`)
    if (found.kind !== 'blank') {
      tokens.push({ kind: found.kind, text: found.text, line: lineAt(text, at) })
    }
    at += found.text.length
  }
  return tokens
}

function nextToken(
  text: string,
  at: number,
): { readonly kind: CddlToken['kind'] | 'blank'; readonly text: string } | undefined {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found !== null) return { kind, text: found[0] }
  }
  return undefined
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length
}
